"""Every text of the window can be translated: under a translator that marks what passes through it, all are marked."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from PyQt5.QtCore import QCoreApplication, Qt, QTranslator
from PyQt5.QtGui import QFontDatabase
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAction,
    QApplication,
    QComboBox,
    QDialog,
    QGroupBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTabBar,
    QWidget,
)

from tests.helpers import ROOT
from tests.texts import texts as texts_of_the_code
from tests.ui.conftest import Open
from tests.ui.desk import config, settle
from tests.ui.test_opening import DIALOGS, close_others
from ui.looks import english
from ui.panes.event_view import EventView
from ui.window.main_window import MainWindow

pytestmark = pytest.mark.qt_log_ignore(r"^This plugin does not support (raise\(\)|grabbing the keyboard)$", extend=True)

WORD = re.compile(r"[^\W\d_]{2,}")

NAMES = (
    "Chromium, Chrome on Linux (certutil of libnss3-tools)", "Firefox on Linux (certutil of libnss3-tools)",
    "Debian, Ubuntu", "Fedora", "Arch", "Windows", "macOS", "Java", "Node", "SHA-256", "URL", "nc",
    "tcp:// tls:// udp:// http:// https:// ws:// wss://", "127.0.0.1", "::1", "0.0.0.0", "none.lpost",
    "alpha", "beta", "Demo", "Listening Post", "TCP", "UDP", "HTTP", "WebSocket", "SSH", "TLS", "pcapng", "HAR",
    "CSV", "curl", "echo", "Python", "utf-8", "ASCII", "Text",
)  # fmt: skip
"""What stays as it is in every language: names, addresses, and what is data."""


OF_THE_FILE = ("Choice", "HelpedChoice")
"""Choosers of words that stand so in a workspace file."""


class Marking(QTranslator):
    """Puts marks around each text."""

    def translate(self, context: str, text: str, disambiguation: str | None = None, n: int = -1) -> str:
        return f"⟦{text}⟧"


@pytest.fixture
def marking(qapp: QApplication) -> Iterator[None]:
    translator = Marking()
    qapp.installTranslator(translator)
    yield
    qapp.removeTranslator(translator)


def texts(widget: QWidget) -> Iterator[tuple[str, str]]:
    """What the widget and all inside of it show, and where."""
    for child in (widget, *widget.findChildren(QWidget)):
        name = f"{type(child).__name__} {child.objectName()}".strip()
        if isinstance(child, QLabel | QAbstractButton) and child.property("role") != "mono":
            yield name, child.text()
        if isinstance(child, QGroupBox):
            yield name, child.title()
        if isinstance(child, QLineEdit | QPlainTextEdit):
            yield f"{name} placeholder", child.placeholderText()
        if isinstance(child, QComboBox) and not child.isEditable() and type(child).__name__ not in OF_THE_FILE:
            yield from ((f"{name} item", child.itemText(at)) for at in range(child.count()))
        if isinstance(child, QTabBar):
            yield from ((f"{name} tab", child.tabText(at)) for at in range(child.count()))
        if isinstance(child, QHeaderView) and child.orientation() == Qt.Horizontal:
            for section in range(child.count()):
                for what, role in (("title", Qt.DisplayRole), ("tooltip of a title", Qt.ToolTipRole)):
                    yield f"{name} {what}", str(child.model().headerData(section, Qt.Horizontal, role) or "")
        if isinstance(child, EventView):
            yield f"{name} placeholder", child._placeholder
        yield f"{name} tooltip", re.sub(r"<[^>]*>", "", child.toolTip())
        yield f"{name} accessible name", child.accessibleName()
    for action in widget.findChildren(QAction):
        yield f"action {action.objectName()}", action.text()
        yield f"action {action.objectName()} tooltip", action.toolTip()


def unmarked(widget: QWidget) -> list[tuple[str, str]]:
    found, fonts = [], set(QFontDatabase().families())
    for where, text in texts(widget):
        rest = re.sub(r"⟦[^⟦⟧]*⟧", "", text)
        for name in NAMES:
            rest = rest.replace(name, "")
        if WORD.search(rest) and "⟦" not in text and not text.startswith("Ctrl+") and text not in fonts:
            found.append((where, text))
    return sorted(set(found))


@pytest.fixture
def window(marking: None, open_window: Open) -> MainWindow:
    return open_window(config("alpha"), config("beta", 9008))


def test_the_main_window(window: MainWindow) -> None:
    for name in ("send_message", "start_page", "http", "conversations", "failures"):
        window.actions_[name].trigger()
        settle()
    window.services.select("alpha")
    settle()
    assert unmarked(window) == []


def test_faults(marking: None, open_window: Open) -> None:
    slow = {"kind": "delay", "name": "alpha", "jitter_ms": 5.0, "probability": 0.5, "nth": 2}
    window = open_window(config("alpha", faults=(slow,)), config("beta", 9008))
    window.services.select("beta")
    window.actions_["faults"].trigger()
    assert unmarked(window.faults.dock) == []
    for name in ("alpha", "beta"):
        window.workbench.show_faults(name, 0)
        settle()
        section = window.workbench.pages[name].forms.faults
        assert section is not None
        assert unmarked(section) == []
    window.faults.dock.empty.show_service("beta", "tcp")
    assert unmarked(window.faults.dock) == []


@pytest.mark.parametrize("name", [*DIALOGS, "manual"])
def test_a_dialog(window: MainWindow, name: str) -> None:
    window.services.select("alpha")
    window.actions_[name].trigger()
    settle()
    shown = [top for top in QApplication.topLevelWidgets() if top.isVisible() and top is not window]
    shown += [dialog for dialog in window.findChildren(QDialog) if dialog.isVisible()]
    try:
        for top in shown:
            assert unmarked(top) == []
    finally:
        close_others(window)
        window.manual.close()


def test_a_stream(window: MainWindow) -> None:
    window.streams.show((1, False))
    settle()
    [stream] = window.streams.open
    assert unmarked(stream) == []


# -- texts that no window above shows: all that reads like one goes through tr, wherever in the code it stands

PREPARED = {"tr", "translate", "_translate", "QT_TRANSLATE_NOOP", "in_words", "shown"}
"""Functions that translate, or mark for a translator."""

DECLARED = {"Action", "Condition", "GroupColumn", "Column", "Option"}
"""Declarations whose texts ``shown`` or ``in_words`` translates where they are shown."""

TAKE_TEXT = {
    "setText", "setToolTip", "setWindowTitle", "setPlaceholderText", "setAccessibleName", "setAccessibleDescription",
    "setInformativeText", "setDetailedText", "setTitle", "setSuffix", "setPrefix", "setSpecialValueText", "addMenu",
    "QLabel", "QPushButton", "QCheckBox", "QRadioButton", "QGroupBox", "Words", "Wrapped", "Line", "say", "setTabText",
    "setTabToolTip", "set_empty", "getOpenFileName", "getSaveFileName", "mark_accessible",
}  # fmt: skip
"""What is given to these is shown: a single word, too, is a text then."""

SECOND = {"setTabText", "setTabToolTip", "getOpenFileName", "getSaveFileName", "mark_accessible"}
"""Take it as their second argument."""

READS_LIKE_TEXT = re.compile(
    r"""[^\W\d_]{2,}[,.;:!?”"')]*\s+[(“"']*[^\W\d_]{2,}"""
    r"|[^\W\d_]{4,}:? +\{\}|\{\}[,.;:”]* +[^\W\d_]{4,}|[^\W\d_]{2,}…$"
)
"""Two words beside each other, a longer one beside a value that is filled in (as ``{}``), or a word with dots."""

CODE = re.compile(
    r"\b(SELECT|INSERT|UPDATE|DELETE|WHERE|FROM|BETWEEN)\b|[;{] *$|\s[=<>|]+\s|\bcontains\b|\bexists\b|[\\(]\S*[+*]"
)
"""SQL, filters, stylesheets, patterns."""

THE_SAME_EVERYWHERE = {
    "Listening Post", "URL", "Aa", " ms", "tcp:// tls:// udp:// http:// https:// ws:// wss://",
    "GET /users/7?full=1", "HELLO id=17\\r\\n", "GET / HTTP/1.1\\r\\nHost: example\\r\\n\\r\\n",
    "Python {}, Qt {}, PyQt {}", "{}, Twisted {}", "listening-post: {}",
    # the lines of a traceback, as Python prints them
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
    "Traceback (most recent call last):", '  File "{}", line {}, in {}', "  + Exception Group {}", "Extra data",
    # fonts
    "Segoe UI", "SF Pro Text", "Noto Sans", "DejaVu Sans", "JetBrains Mono", "Cascadia Mono", "SF Mono",
    "Noto Sans Mono", "DejaVu Sans Mono", "Liberation Mono", "Courier New",
    # examples of what is data
    "send HELLO device 1", "send OK {{1}} {{count}}", "send ERROR unknown command", "try again later", "send OK",
    '[{"id": "1", "name": "Ada"}]', '{"created": true}', "text/plain; charset=utf-8", "{} Mbit/s", "{} kbit/s",
    "on purpose", "gzip, deflate, br", "kind in {failure, service.failed, watch.failed}",
    # keys inside the program, names of objects
    "alerts dock", "charts dock", "faults dock", "outposts dock", "send dock", "watch dock", "new file",
    "{} fault {} {}", "fault {} {}", "rule {} {}", "edit {}", "open {}", "pane {}", "toggle {}", "new {}", "mail {}",
    "send {}", "opens the manual", "{} of the command classes have a method {}",
    '<span style="color:{}">{}&nbsp;{}</span>&nbsp;<b>{}</b>', 'time {} "{}"',
}  # fmt: skip
"""Names, units, examples of what is data, and what nobody reads."""

FOR_THE_TERMINAL = {"screen.py", "reference.py"}
"""Modules whose words go to stderr or to the manual, in English as those of every command."""


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def not_read(tree: ast.AST) -> set[int]:
    """The nodes (by ``id``) whose strings nobody reads, or that are prepared: docstrings, annotations, ``tr``."""
    found: set[int] = set()
    for node in ast.walk(tree):
        inner: list[ast.expr] = []
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inner = [node.value]
        elif isinstance(node, ast.Call) and called(node) in PREPARED | DECLARED:
            inner = [*node.args, *(given.value for given in node.keywords)]
        elif isinstance(node, ast.Assert):
            inner = [node.msg] if node.msg is not None else []
        elif isinstance(node, ast.AnnAssign):
            inner = [node.annotation]
        elif isinstance(node, ast.Call) and called(node) == "cast":
            inner = node.args[:1]
        found.update(id(part) for one in inner for part in ast.walk(one))
    return found


def as_read(node: ast.expr) -> str | None:
    """The text of a literal, ``{}`` for what an f-string fills in; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def unprepared(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of each literal that a person reads and no translator sees."""
    passed: set[int] = not_read(tree)
    shown: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):  # its parts are no texts of their own
            passed.update(id(part) for part in node.values if isinstance(part, ast.Constant))
        if isinstance(node, ast.Call) and called(node) in TAKE_TEXT:
            which = node.args[1:2] if called(node) in SECOND else node.args[:1]
            shown.update(id(text) for argument in which for text in branches(argument))
    for node in ast.walk(tree):
        text = as_read(node) if isinstance(node, ast.expr) and id(node) not in passed else None
        if text is None or text in THE_SAME_EVERYWHERE:
            continue
        word = id(node) in shown and WORD.search(text.replace("{}", ""))
        if word or (READS_LIKE_TEXT.search(text) and not CODE.search(text)):
            yield getattr(node, "lineno", 0), text


def branches(node: ast.expr) -> Iterator[ast.expr]:
    """The literals that an expression may become."""
    if isinstance(node, ast.IfExp):
        yield from (*branches(node.body), *branches(node.orelse))
    elif isinstance(node, ast.BinOp):
        yield from (*branches(node.left), *branches(node.right))
    elif isinstance(node, ast.BoolOp):
        yield from (text for value in node.values for text in branches(value))
    else:
        yield node


def test_every_text_of_the_code_goes_through_tr() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}"
        for path in sorted((ROOT / "ui").rglob("*.py"))
        if path.name not in FOR_THE_TERMINAL
        for line, text in unprepared(ast.parse(path.read_text("utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "a.setText('Hello there')",
        "b.setToolTip(f'{n} rows')",
        "d.say('' if x else 'So')",
        "WORDS = {'tls': 'Connections are encrypted.'}",
        "def why(): return f'{host} is not an address'",
        "text = 'Looking…'",
        "button('Trust this file', call)",
        "undo(f'remove {name}')",
    ],
)
def test_the_check_finds_what_is_not_prepared(code: str) -> None:
    assert [line for line, _ in unprepared(ast.parse(code))] == [1]


@pytest.mark.parametrize(
    "code",
    [
        "c.setText(self.tr('Fine so'))",
        "T = QT_TRANSLATE_NOOP('Context', 'Fine so')",
        "'''A docstring that reads well.'''",
        "x.execute('SELECT a FROM b')",
        "search('size > 100 and peer contains 127')",
        "c.setText(tr('Fine so with {n}').format(n=f'{n:,} {unit}'))",
    ],
)
def test_the_check_lets_alone_what_is_prepared_or_no_text(code: str) -> None:
    assert list(unprepared(ast.parse(code))) == []


def test_no_f_string_and_no_sum_is_given_to_tr() -> None:
    """A translator's tool finds only whole literals."""
    wrong = []
    for path in (ROOT / "ui").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            to_tr = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "tr"
            if to_tr and isinstance(call.args[0], ast.JoinedStr | ast.BinOp):  # type: ignore[attr-defined]
                wrong.append(f"{path.name}:{call.lineno}")
    assert wrong == []


# -- texts with a number: a language has other forms than English, so the text is one and its translator has the forms

ONE = re.compile(r"(^|[\s(|])1 [A-Za-z]+")
"""A form for one thing."""

NO_NUMBER_OF_THINGS = {
    # limits and spans, which are always these
    "Slow &down to 1 kB/s", "Connection #{number} is limited to 1 kB/s until the fault is removed",
    " (up to 1 MiB)", "Its settings and rules are too large to be sent: at most 1 MB", "1 day",
    "The port must be a number from 1 to 65535, or 0 for any free one",
}  # fmt: skip

OTHER_WORDS = {
    ("Note", "Note on %n row(s)"),
    ("once", "{count:,} time(s)"),
    ("from byte {start:,} ({start:#x}) on", "{count:,} byte(s) selected from {start:,} ({start:#x})"),
}
"""For one, English says something else, not the other form of the same."""


def literals(node: ast.AST) -> list[str]:
    """The texts in a tree that are given to a translator."""
    found = []
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and called(call) in PREPARED:
            given = [text for text in map(as_read, call.args) if text]
            found += given[-1:]
    return found


def pairs_of_forms(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of each expression or statement that has one text for 1 of something, and another for more."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.If | ast.IfExp) or not is_one(node.test):
            continue
        if isinstance(node, ast.IfExp):
            one, more = literals(node.body), literals(node.orelse)
        else:
            one, more = ([text for part in body for text in literals(part)] for body in (node.body, node.orelse))
        if one and more and (one[0], more[0]) not in OTHER_WORDS:
            yield node.lineno, one[0]


def is_one(test: ast.expr) -> bool:
    """Whether it asks if a number is 1."""
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.ops[0], ast.Eq)
        and isinstance(test.comparators[0], ast.Constant)
        and test.comparators[0].value == 1
    )


def test_no_text_is_the_form_for_one_thing() -> None:
    window = [(f"{file}:{line}", text) for kind, file, line, text in texts_of_the_code("ui") if kind == "window"]
    assert [(at, text) for at, text in window if ONE.search(text) and text not in NO_NUMBER_OF_THINGS] == []
    assert {text for _, text in window} >= NO_NUMBER_OF_THINGS


def test_no_two_texts_are_forms_of_one() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}"
        for path in sorted((ROOT / "ui").rglob("*.py"))
        for line, text in pairs_of_forms(ast.parse(path.read_text("utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "x = self.tr('A row') if n == 1 else self.tr('{n} rows').format(n=n)",
        "if len(rows) == 1:\n    say(translate('C', 'A row'))\nelse:\n    say(translate('C', '{n} rows'))",
    ],
)
def test_the_check_finds_forms(code: str) -> None:
    assert [line for line, _ in pairs_of_forms(ast.parse(code))] == [1]


@pytest.mark.parametrize(
    ("n", "shown"),
    [
        (0, "0 rows were copied by {who} (rules)"),
        (1, "1 row was copied by {who} (a rule)"),
        (2, "2 rows were copied by {who} (rules)"),
        (1234, "1,234 rows were copied by {who} (rules)"),
    ],
)
def test_english_has_its_forms(qapp: QApplication, n: int, shown: str) -> None:
    text = "%n row(s) (was|were) copied by {who} ((a rule|rules))"
    assert QCoreApplication.translate("Anywhere", text, "", n) == shown


def test_english_leaves_texts_without_a_number_alone(qapp: QApplication) -> None:
    english.install(qapp)  # again
    assert len(qapp.findChildren(english.English)) == 1
    assert QCoreApplication.translate("Anywhere", "Key(s) (a|b)") == "Key(s) (a|b)"
    assert qapp.tr("") == ""


def test_a_translator_that_is_installed_later_wins(marking: None) -> None:
    assert QCoreApplication.translate("Anywhere", "%n row(s)", "", 2) == "⟦2 row(s)⟧"


@pytest.mark.parametrize(("count", "n"), [(-1, 0), (0, 0), (1, 1), (2**40, 2**31 - 1)])
def test_the_form_of_any_count(count: int, n: int) -> None:
    assert english.form_of(count) == n
    assert QCoreApplication.translate("Anywhere", "byte(s)", "", n) == ("byte" if n == 1 else "bytes")
