"""The manual in the program: F1, contents, search, links, and nothing from a network."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt, QUrl
from PyQt5.QtGui import QColor, QTextDocument
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.qtbot import QtBot

import ui
from tests.helpers import ROOT
from tests.ui.conftest import Open
from tests.ui.desk import settle
from ui.looks import theme
from ui.manual.pages import Manual
from ui.manual.places import PLACES, explained_by
from ui.manual.window import ManualWindow
from ui.panes.event_pane import EventPane
from ui.window.main_window import MainWindow

pytestmark = pytest.mark.qt_log_ignore(r"^This plugin does not support raise\(\)$", extend=True)


@pytest.fixture
def manual(qtbot: QtBot, dark: None) -> ManualWindow:
    window = ManualWindow(Manual())
    qtbot.addWidget(window)
    window.open("index")
    with qtbot.waitActive(window):
        window.show()
    return window


def listed(manual: ManualWindow) -> list[str]:
    items = [manual.contents.item(row) for row in range(manual.contents.count())]
    return [item.text() for item in items if item is not None]


def select(manual: ManualWindow, text: str) -> None:
    row = next(at for at, title in enumerate(listed(manual)) if title.startswith(text))
    item = manual.contents.item(row)
    QTest.mouseClick(manual.contents.viewport(), Qt.LeftButton, pos=manual.contents.visualItemRect(item).center())


# -- F1


@pytest.mark.parametrize(
    ("focus", "place"),
    [
        (lambda window: window.filter, "filters"),
        (lambda window: window.services, "window"),
        (lambda window: window.panes.current(), "window"),
    ],
    ids=["filter", "services", "pane"],
)
def test_f1_opens_the_page_for_what_has_the_focus(window: MainWindow, qtbot: QtBot, focus: object, place: str) -> None:
    focus(window).setFocus()  # type: ignore[operator]
    QTest.keyClick(QApplication.focusWidget(), Qt.Key_F1)
    assert window.manual.window is not None
    assert window.manual.window.isVisible()
    assert window.manual.window.places[-1][0] == place


def test_f1_in_a_dialog_opens_its_page(window: MainWindow, qtbot: QtBot) -> None:
    dialog = window.service_actions.create()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is dialog)
    dialog.name.setFocus()
    QTest.keyClick(dialog.name, Qt.Key_F1)
    assert window.manual.window is not None
    assert window.manual.window.places[-1][0] == "services"
    dialog.close()


def test_the_window_of_the_manual_is_opened_once_and_closed_with_the_program(open_window: Open, qtbot: QtBot) -> None:
    window = open_window()
    for _ in range(2):
        window.actions_["manual"].trigger()
    shown = window.manual.window
    assert shown is not None
    assert sum(isinstance(widget, ManualWindow) for widget in QApplication.topLevelWidgets()) == 1
    window.close()
    assert not shown.isVisible()
    assert window.manual.window is None


@pytest.mark.parametrize(("action", "title"), [("shortcuts", "Keyboard shortcuts"), ("whats_new", "What is new")])
def test_the_help_menu_opens_pages(window: MainWindow, action: str, title: str) -> None:
    window.actions_[action].trigger()
    assert window.manual.window is not None
    assert window.manual.window.page.toPlainText().startswith(title)


def test_every_place_is_in_the_manual() -> None:
    manual = Manual()
    for place in PLACES.values():
        page, _, anchor = place.partition("#")
        assert anchor in {section.anchor for section in manual.pages[page].sections} | {""}


def test_every_dialog_and_pane_has_a_place_and_every_place_a_widget() -> None:
    """A new dialog says here which page explains it."""
    _load_all()
    known = [kind for kind in _below(QWidget) if kind.__module__.startswith("ui.")]
    names = {kind.__name__ for kind in known}
    assert {name for name in PLACES if name not in names} == set()
    wanted = [kind for kind in known if issubclass(kind, QDialog | EventPane) and not inspect.isabstract(kind)]
    without = [kind for kind in wanted if not any(base.__name__ in PLACES for base in kind.__mro__)]
    assert without == []


def _below(kind: type) -> list[type]:
    return [kind, *(one for direct in kind.__subclasses__() for one in _below(direct))]


def _load_all() -> None:
    from importlib import import_module

    for path in Path(ui.__file__ or "").parent.rglob("*.py"):
        name = ".".join(path.relative_to(Path(ui.__file__ or "").parents[1]).with_suffix("").parts)
        if path.name not in ("__init__.py", "entry.py"):
            import_module(name)


def test_what_is_nowhere_opens_the_beginning(window: MainWindow) -> None:
    assert explained_by(None) == "index"
    assert explained_by(window) == "index"


# -- reading


def test_a_click_in_the_contents_opens_a_page_and_back_returns(manual: ManualWindow) -> None:
    select(manual, "Filters")
    assert manual.page.toPlainText().startswith("Filters")
    QTest.keyClick(manual, Qt.Key_Left, Qt.AltModifier)
    assert manual.page.toPlainText().startswith("Listening Post")
    QTest.keyClick(manual, Qt.Key_Right, Qt.AltModifier)
    assert manual.page.toPlainText().startswith("Filters")


def test_a_link_is_followed_to_its_heading(manual: ManualWindow) -> None:
    manual.page.anchorClicked.emit(QUrl("workspace.md#trust"))
    assert manual.places[-1] == ("workspace", "trust")
    assert manual.page.verticalScrollBar().value() > 0


def test_links_elsewhere_are_left_alone(manual: ManualWindow) -> None:
    before = list(manual.places)
    manual.page.anchorClicked.emit(QUrl("https://example.org/"))
    assert manual.places == before


@pytest.mark.parametrize(
    "url", ["../pyproject.toml", "/etc/hostname", "http://127.0.0.1:1/x.png", "pictures/../../LICENSE"]
)
def test_only_pictures_of_the_manual_are_loaded(manual: ManualWindow, url: str) -> None:
    assert manual.page.loadResource(QTextDocument.ImageResource, QUrl(url)).isNull()


def test_a_picture_of_a_page_is_there(manual: ManualWindow) -> None:
    image = manual.page.loadResource(QTextDocument.ImageResource, QUrl("pictures/window.png"))
    assert image.value().width() > 100


def test_pictures_fit_into_a_narrow_window(manual: ManualWindow, qtbot: QtBot) -> None:
    page = manual.page
    manual.resize(700, 500)

    def width() -> float:
        image = page.document().resource(QTextDocument.ImageResource, QUrl("pictures/window.png"))
        return float(image.width() / image.devicePixelRatio())

    qtbot.waitUntil(lambda: 200 <= width() <= page.viewport().width())
    before = width()
    manual.resize(1200, 500)
    qtbot.waitUntil(lambda: width() > before)


def test_on_a_screen_of_twice_the_pixels_a_picture_is_no_wider(
    manual: ManualWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = manual.page
    for ratio in (1.0, 1.5, 2.0, 3.0):
        monkeypatch.setattr(page, "devicePixelRatioF", lambda ratio=ratio: ratio)
        image = page.loadResource(QTextDocument.ImageResource, QUrl("pictures/window.png")).value()
        assert image.width() / image.devicePixelRatio() == pytest.approx(page._room(), abs=1), ratio


def test_a_picture_that_there_is_of_the_dark_theme_is_shown_in_it(manual: ManualWindow, qapp: QApplication) -> None:
    def corner() -> QColor:
        image = manual.page.loadResource(QTextDocument.ImageResource, QUrl("pictures/outposts.png")).value()
        return QColor(image.pixelColor(4, 4))

    theme.apply(qapp, theme.LIGHT)
    assert corner().lightness() > 200
    theme.apply(qapp, theme.DARK)
    assert corner().lightness() < 60


def test_a_search_is_typed_and_its_results_are_walked_with_the_keys(manual: ManualWindow) -> None:
    QTest.keyClick(manual, Qt.Key_F, Qt.ControlModifier)
    QTest.keyClicks(manual.search, "session keys")
    assert any("TLS" in text or "Wireshark" in text for text in listed(manual))
    QTest.keyClick(manual.search, Qt.Key_Down)
    found = (ROOT / "docs" / f"{manual.places[-1][0]}.md").read_text("utf-8").lower()
    assert "session" in found
    assert "keys" in found
    QTest.keyClick(manual.search, Qt.Key_A, Qt.ControlModifier)
    QTest.keyClick(manual.search, Qt.Key_Delete)
    assert listed(manual)[0] == "Listening Post"


def test_a_search_without_a_result_says_so(manual: ManualWindow) -> None:
    QTest.keyClicks(manual.search, "zebra crossing")
    assert listed(manual) == ["No page of the manual has all these words."]


def test_escape_closes_and_the_page_is_kept(manual: ManualWindow) -> None:
    select(manual, "Filters")
    QTest.keyClick(manual, Qt.Key_Escape)
    assert not manual.isVisible()
    manual.open("filters")
    assert manual.places[-1][0] == "filters"


@pytest.mark.usefixtures("dark")
def test_it_takes_the_colours_of_the_theme(manual: ManualWindow, qapp: QApplication) -> None:
    select(manual, "Filters")
    theme.apply(qapp, theme.LIGHT)
    block = manual.page.document().begin()
    assert block.begin().fragment().charFormat().foreground().color().name() == theme.LIGHT.text
    theme.apply(qapp, theme.DARK)


def test_other_colours_leave_the_end_of_a_long_page_in_view(manual: ManualWindow, qapp: QApplication) -> None:
    select(manual, "Your own protocol")
    bar = manual.page.verticalScrollBar()
    bar.setValue(bar.maximum())
    place = bar.value()
    theme.apply(qapp, theme.LIGHT)
    assert bar.value() == place > 0


def test_each_page_takes_the_place_of_the_one_before(manual: ManualWindow) -> None:
    for name in ("filters", "window", "filters"):
        manual.open(name)
        settle()
        assert manual.page.findChildren(QTextDocument) == [manual.page.document()]


def test_a_section_is_at_the_top_and_marked_when_the_window_is_opened_at_it(qtbot: QtBot, dark: None) -> None:
    """It is opened before it is shown, when its lines break elsewhere."""
    window = ManualWindow(Manual())
    qtbot.addWidget(window)
    window.open("script#framing")
    with qtbot.waitActive(window):
        window.show()
    view = window.page
    [mark] = view.extraSelections()
    assert mark.cursor.block().blockFormat().headingLevel()

    def from_top() -> float:
        top = view.document().documentLayout().blockBoundingRect(mark.cursor.block()).top()
        return top - view.verticalScrollBar().value()

    assert 0 <= from_top() <= 40
    window.resize(700, 500)
    qtbot.waitUntil(lambda: 0 <= from_top() <= 40)
    view.verticalScrollBar().setValue(0)
    window.resize(1200, 700)
    settle()
    assert view.verticalScrollBar().value() == 0
    window.open("script")
    assert view.extraSelections() == []
