"""The faults of a service: rows at the left, the form of the current one at the right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from PyQt5.QtCore import QT_TRANSLATE_NOOP, QPoint, Qt, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app import faults
from app.faults import presets
from app.faults.hits import LiveFault
from app.faults.presets import Preset
from app.faults.tables import named
from app.options import Option
from app.sending.faults import fits, level
from app.services.service import Service
from app.workspace.faults_toml import faults_from_toml, faults_to_toml
from ui.actions.build import show
from ui.faults.empty import NoFaults
from ui.faults.presets_menu import menu_of, with_network
from ui.faults.words import count_words, title_lines
from ui.forms.editors import Text
from ui.forms.form import Words, sentence, set_property, tab_through, title
from ui.looks import theme
from ui.looks.declared import in_words
from ui.parts.labels import plain, unmarked
from ui.parts.line import Line
from ui.parts.scrolled import Scrolled
from ui.workbench.faults.arrangement import arranged, with_kind
from ui.workbench.faults.model import FaultsModel, FaultsView
from ui.workbench.rule_form.form import RuleForm
from ui.workbench.rules.model import Kind

LINES = 6
"""Lines of text of the networks for which there is always room."""

LEFT, SHARE = 330, 0.4
"""Pixels of the rows before the user moves the divider, and the most of the width that they take then."""

MENU = 100
"""Characters of the help of a kind in the menu."""

FAULTS = {
    "title": QT_TRANSLATE_NOOP("Workbench", "Faults"),
    "new": QT_TRANSLATE_NOOP("Workbench", "Add a fault"),
    "add": QT_TRANSLATE_NOOP("Workbench", "adding a fault"),
    "duplicate": QT_TRANSLATE_NOOP("Workbench", "duplicating a fault"),
    "remove": QT_TRANSLATE_NOOP("Workbench", "removing (a fault|%n faults)"),
    "paste": QT_TRANSLATE_NOOP("Workbench", "pasting faults"),
    "move": QT_TRANSLATE_NOOP("Workbench", "moving a fault"),
}

SEED = Option(
    "seed", int, 0, "Seed of the random choices of the faults; 0: another seed at each start", "", 0, 2**63 - 1
)


class FaultsSection(QWidget):
    """The whole of it. What is edited is applied by the page; a switch acts at once, and is no edit.

    Attributes:
        model, view, form: the rows, their list, and the form of the current one.
        seed: the editor of the service's seed.
        once_now, hits: what is done with the current fault.

    Signals:
        edited(str, str): the faults were edited: words for it, and a key that is the same while one types.
        refused(str): what could not be done, and why.
        hits_wanted(str): the hits of the fault of this name.
    """

    edited = pyqtSignal(str, str)
    refused = pyqtSignal(str)
    hits_wanted = pyqtSignal(str)

    def __init__(
        self,
        protocol: str,
        service: Callable[[], Service | None],
        fits: Callable[[faults.FaultKind], bool] | None = None,
        *,
        of_message: bool = False,
    ) -> None:
        """``service()`` is the service as it runs; with ``fits``, there is none, and only kinds that fit are
        offered. ``of_message``: they are those of a message."""
        super().__init__()
        self._protocol, self._service, self._fits = protocol, service, fits
        self._of_message = of_message
        self._wrong: dict[int, dict[str, str]] = {}
        read = partial(faults_from_toml, protocol=protocol)
        self.model = FaultsModel(Kind(title_lines, read, faults_to_toml, words=FAULTS))
        self.view = FaultsView(self.model)
        self.form = RuleForm(protocol, lambda table: arranged(table, protocol))
        self._lay_out()
        self.view.chosen.connect(self._on_chosen)
        self.view.refused.connect(self.refused)
        self.view.kinds_wanted.connect(self._ask_kind)
        self.model.edited.connect(self._on_rows)
        self.model.switched.connect(self._switch)
        self.form.changed.connect(self._on_form)
        self._on_chosen(-1)

    @classmethod
    def of_message(cls, protocol: str) -> FaultsSection:
        """The faults of a message that is sent by ``protocol``: a switch is an edit, and there is no seed."""
        return cls(level(protocol), lambda: None, lambda kind: fits(kind, protocol), of_message=True)

    @classmethod
    def of_port(cls, protocol: str) -> FaultsSection:
        """The faults of a port of a hosted program: a switch is an edit; seed and TLS are the program's own."""
        return cls(protocol, lambda: None, lambda kind: not kind.tls)

    # -- building

    def _lay_out(self) -> None:
        self._left = self._made_left()
        form = QWidget()
        column = QVBoxLayout(form)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._made_head())
        column.addWidget(self.form, 1)
        self.empty = NoFaults("window")
        self.empty.show_own(self._protocol, of_message=self._of_message)
        self.empty.chosen.connect(self._put_preset)
        right = self._right = QStackedWidget()
        right.addWidget(form)
        right.addWidget(Scrolled(self.empty, LINES))
        self.splitter = QSplitter(Qt.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        self.splitter.addWidget(self._left)
        self.splitter.addWidget(right)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.splitterMoved.connect(self._on_splitter)
        self._moved = False
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.splitter)

    def _made_left(self) -> QWidget:
        self.add_button = QPushButton(self.tr("+ Fault"))
        self.add_button.clicked.connect(lambda: self._ask_kind(self.add_button.mapToGlobal(QPoint(0, 0))))
        self.networks = QPushButton(self.tr("Network") + "   ")
        self.networks.setToolTip(self.tr("Simulate a network for the service"))
        self.networks.setMenu(menu_of(self.networks, lambda: (self._protocol, self.model.tables()), self._put_preset))
        buttons = QHBoxLayout()
        buttons.setContentsMargins(12, 8, 12, 4)
        buttons.setSpacing(8)
        for button in (self.add_button, self.networks):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        buttons.addStretch(1)
        if not presets.fitting(self._protocol):
            self.networks.hide()
        self._empty = QLabel(self.tr("No fault yet."))
        self._empty.setProperty("role", "dim")
        self._empty.setWordWrap(True)
        self._empty.setContentsMargins(16, 12, 16, 0)
        left = QWidget()
        left.setProperty("surface", "panel")
        left.setAttribute(Qt.WA_StyledBackground)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._empty)
        column.addWidget(self.view, 1)
        column.addLayout(buttons)
        self._seed_row = self._made_seed(0)
        if self._fits is not None:
            self._seed_row.hide()
        column.addWidget(self._seed_row)
        self._left_column = column
        return left

    def _made_seed(self, value: int) -> QWidget:
        """The seed of the service, and that of the run, which can be kept."""
        self.seed = Text(SEED, value)
        digit = self.seed.fontMetrics().horizontalAdvance("0")
        self.seed.setMaximumWidth(22 * digit)
        self.seed.setAccessibleName(self.tr("Seed"))
        self.seed.setToolTip(plain(in_words(SEED.help)))
        self.seed.changed.connect(self._on_seed)
        label = QLabel(self.tr("Seed"))
        label.setProperty("role", "dim")
        label.setBuddy(self.seed)
        self.keep = QPushButton()
        self.keep.setProperty("link", True)
        self.keep.setAutoDefault(False)
        self.keep.clicked.connect(self._keep_seed)
        self._seed_words = Words()
        self._seed_words.setMinimumHeight(0)
        self._seed_words.hide()
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(label)
        row.addWidget(self.seed, 1)
        row.addWidget(self.keep)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(12, 4, 12, 8)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self._seed_words)
        return whole

    def _made_head(self) -> QWidget:
        self._about = Line()
        self._about.setProperty("role", "dim")
        self.hits = QPushButton()
        self.hits.setProperty("link", True)
        self.hits.setToolTip(self.tr("Show the events of this fault"))
        self.hits.clicked.connect(lambda: self.hits_wanted.emit(self._name()))
        self.once_now = QPushButton(self.tr("Once now"))
        self.once_now.setToolTip(self.tr("Hit the next message or connection, regardless of conditions"))
        self.once_now.clicked.connect(self._once)
        head = self._head = QWidget()
        row = QHBoxLayout(head)
        row.setContentsMargins(14, 8, 12, 0)
        row.setSpacing(8)
        row.addWidget(self._about, 1)
        for button in (self.hits, self.once_now):
            button.setAutoDefault(False)
            row.addWidget(button)
            if self._fits is not None:
                button.hide()
        return head

    def _on_splitter(self) -> None:
        self._moved = True

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the rows their share of the width, until the user moves the divider."""
        super().resizeEvent(event)
        if not self._moved:
            width = event.size().width()
            left = min(LEFT + 12 * (theme.notifier.fonts.size - theme.POINTS), round(SHARE * width))
            self.splitter.setSizes([left, width - left])

    def order(self) -> tuple[QWidget, ...]:
        """The parts that Tab goes through, in their order."""
        return self._left, self._head, self.form.widget(), self.empty

    # -- the faults

    def set_faults(self, tables: Sequence[Mapping[str, Any]], seed: int) -> None:
        """Show other faults, with the same row current."""
        at = max(0, self.view.at())
        before = self.model.row(at)
        same = before is not None and at < len(tables) and before.table == tables[at]
        self.view.blockSignals(True)
        self.model.set_tables(tables)
        if tables:
            self.view.choose(at)
        self.view.blockSignals(False)
        if not same or not self.form.groups:
            self._on_chosen(self.view.at())
        if self.seed.value() != seed:
            self.seed.blockSignals(True)
            self.seed.setText(str(seed))
            self.seed.blockSignals(False)
        self.refresh()

    def tables(self) -> tuple[dict[str, Any], ...]:
        """The faults, as a workspace has them."""
        return tuple(self.model.tables())

    def choose(self, at: int, key: str = "") -> None:
        """Show a fault, with the keyboard in the editor of one of its options."""
        if 0 <= at < self.model.rowCount():
            self.view.choose(at)
        if key:
            self.form.focus(key)

    def show_mistakes(self, found: Sequence[tuple[int, str, str]]) -> int:
        """Show what is wrong: in the rows, at the fields of the current one, at the seed. Returns how much is."""
        self._wrong = {}
        for index, key, text in found:
            self._wrong.setdefault(index, {}).setdefault(key, text)
        said = {at: _said(*next(iter(wrong.items()))) for at, wrong in self._wrong.items()}
        self.model.set_mistakes(said)
        self._tell()
        problem = SEED.problem(self.seed.value())
        set_property(self.seed, "invalid", problem is not None)
        self._seed_words.setVisible(problem is not None)
        self._seed_words.say(sentence(problem) if problem else "", "error")
        self.seed.setAccessibleDescription(problem or in_words(SEED.help))
        return len(found) + (problem is not None)

    def _tell(self) -> None:
        wrong = dict(self._wrong.get(self.view.at(), {}))
        if "" in wrong:
            wrong.setdefault("kind", wrong.pop(""))
        self.form.tell(wrong, {})

    # -- what runs

    def _live(self) -> list[LiveFault | None]:
        """Each row's fault in the running service."""
        service = self._service()
        if service is None:
            return [None] * self.model.rowCount()
        return [service.faults.find(name) for name, _ in named(self.model.tables())]

    def _name(self) -> str:
        names = [name for name, _ in named(self.model.tables())]
        at = self.view.at()
        return names[at] if 0 <= at < len(names) else ""

    def refresh(self) -> None:
        """Show switches and hits as they are now."""
        live = self._live()
        given = [bool(table.get("enabled", True)) for table in self.model.tables()]
        acting = [fault is None or fault.enabled for fault in live]
        self.model.set_acting(acting if self._fits is None else given)
        self.model.set_hits([fault.hits if fault is not None else 0 for fault in live])
        at = self.view.at()
        fault = live[at] if 0 <= at < len(live) else None
        self._head.setVisible(at >= 0)
        self.hits.setText(count_words(fault.hits if fault is not None else 0))
        self.hits.setEnabled(fault is not None)
        self.once_now.setEnabled(fault is not None)
        self.once_now.setText(
            self.tr("Once now")
            if fault is None or not fault.once
            else self.tr("Waits for the next message or connection")
        )
        row = self.model.row(at)
        kind = faults.find(str(row.table.get("kind", ""))) if row is not None else None
        self._about.setText(in_words(kind.help) if kind is not None else "")
        network = with_network(self.tr("Network"), self.model.tables(), self._protocol).replace("&", "&&") + "   "
        if network != self.networks.text():
            self.networks.setText(network)
        self.setFocusProxy(self.view if self.model.rowCount() else self.add_button)
        self._empty.setVisible(not self.model.rowCount())
        self._right.setCurrentIndex(0 if self.model.rowCount() else 1)
        service = self._service()
        seed = service.faults.seed if service is not None and service.running and service.faults else 0
        self.keep.setVisible(bool(seed) and str(seed) != self.seed.text())
        self.keep.setText(self.tr("Keep {seed}").format(seed=seed))
        self.keep.setToolTip(self.tr("Keep the seed of this run: after a restart, faults hit as in this run"))

    def _switch(self, at: int) -> None:
        row = self.model.row(at)
        if self._fits is not None and row is not None:
            table = {key: value for key, value in row.table.items() if key != "enabled"}
            self.model.change(at, table if not row.on else {**table, "enabled": False})
            self._on_rows(self.tr("switch of a fault"))
            return
        service, live = self._service(), self._live()
        fault = live[at] if at < len(live) else None
        if service is not None and fault is not None:
            service.faults.switch(fault, on=not fault.enabled)
            self.refresh()

    def _once(self) -> None:
        service, live, at = self._service(), self._live(), self.view.at()
        fault = live[at] if 0 <= at < len(live) else None
        if service is not None and fault is not None:
            service.faults.once_now(fault)
            self.refresh()

    # -- edits

    def _ask_kind(self, at: QPoint) -> None:
        """Offer the kinds that fit the service, each with its help."""
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        service = self._service()
        secure = service is not None and service.config.tls is not None
        for kind in faults.fitting(self._protocol):
            if self._fits is not None and not self._fits(kind):
                continue
            if kind.tls and not secure:
                needs = self.tr("{kind}: for a service with TLS").format(kind=kind.name)
                menu.addAction(unmarked(needs)).setEnabled(False)
                continue
            action = menu.addAction(unmarked(f"{kind.name}: {_brief(in_words(kind.help))}"))
            action.setToolTip(plain(in_words(kind.help)))
            action.triggered.connect(partial(self._add, kind.name))
        menu.addSeparator()
        menu.addAction(self.tr("Paste faults (Ctrl+V)")).triggered.connect(lambda _=False: self.view.paste())
        show(menu, at)

    def _add(self, kind: str, _checked: bool = False) -> None:
        at = self.view.at() + 1 if self.view.at() >= 0 else self.model.rowCount()
        self.model.insert(at, [{"kind": kind}], self.tr("adding a fault"))
        self.view.choose(at)
        self.form.focus()

    def _put_preset(self, preset: Preset | None) -> None:
        tables = presets.replaced(self.model.tables(), preset, self._protocol)
        self.set_faults(tables, self.seed.value())
        words = self.tr("other network")
        self.edited.emit(words, "")

    def _on_chosen(self, at: int) -> None:
        row = self.model.row(at)
        self.form.show_rule(row.table if row is not None else None)
        tab_through(*self.order())
        self._tell()
        self.refresh()

    def _on_form(self, name: str) -> None:
        at, row = self.view.at(), self.model.row(self.view.at())
        if row is None:
            return
        table = self.form.table()
        another = name == "kind" and table["kind"] != row.table.get("kind")
        if another:
            table = with_kind(table, table["kind"], self._protocol)
        self.model.change(at, table)
        if another:
            self.form.show_rule(table)
            tab_through(*self.order())
            self.form.focus("kind")
        self.refresh()
        self.edited.emit(self.tr("editing fault {number}").format(number=at + 1), f"fault {at} {name}")

    def _on_rows(self, words: str) -> None:
        row = self.model.row(self.view.at())
        if row is None or row.table != self.form.table():
            self._on_chosen(self.view.at() if row is not None else -1)
        self.refresh()
        self.edited.emit(words, "")

    def _on_seed(self) -> None:
        self.refresh()
        self.edited.emit(self.tr("editing the seed"), "seed")

    def _keep_seed(self) -> None:
        service = self._service()
        if service is not None:
            self.seed.setText(str(service.faults.seed))


def _said(key: str, text: str) -> str:
    return f"{title(key)} {text}" if key else text


def _brief(text: str) -> str:
    return text if len(text) <= MENU else text[: MENU - 1] + "…"
