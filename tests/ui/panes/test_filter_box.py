"""The filter box: what is wrong, what would fit, what was saved."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QLabel, QMainWindow, QMenu, QToolButton
from pytestqt.qtbot import QtBot

from app.capture.filters.fields import FIELDS
from app.capture.reading.conversations import CONVERSATION_FIELDS
from ui.panes.filter_box import FilterBox
from ui.panes.filter_chips import FilterChips


@pytest.fixture
def box(qtbot: QtBot) -> Iterator[FilterBox]:
    window = QMainWindow()
    made = FilterBox(lambda: {"service": ["rest", "ws echo"]})
    window.setCentralWidget(made)
    window.resize(600, 300)
    qtbot.addWidget(window)
    window.show()
    made.setFocus()
    yield made
    made._pause.stop()


def words(box: FilterBox) -> str:
    label = box.window().findChild(QLabel, "filter-words")
    return label.text() if label is not None and label.isVisible() else ""


def offered(box: FilterBox) -> list[str]:
    found = box._offered
    if found is None or not found.isVisible():
        return []
    return [found.topLevelItem(i).text(0) for i in range(found.topLevelItemCount())]


def test_what_makes_sense_is_told_once_the_typing_pauses(box: FilterBox, qtbot: QtBot) -> None:
    with qtbot.waitSignal(box.typed) as told:
        QTest.keyClicks(box, "size > 100")
    assert told.args == ["size > 100"]
    assert words(box) == ""


def test_a_mistake_is_marked_and_explained_and_nothing_is_told(box: FilterBox, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(box.typed):
        box.setText("size > much")
        assert not box.apply()
    assert words(box) == "At character 8: size is a number, as in size > 100."
    assert box.property("invalid") is True
    box.setText("size > 1")
    assert words(box) == ""
    assert box.property("invalid") is False


def test_what_fits_is_offered_and_taken_with_tab(box: FilterBox, qtbot: QtBot) -> None:
    QTest.keyClicks(box, "serv")
    assert offered(box) == ["service"]
    QTest.keyClick(box, Qt.Key_Tab)
    assert box.text() == "service "
    assert offered(box)[:2] == ["==", "!="]
    QTest.keyClick(box, Qt.Key_Down)
    QTest.keyClick(box, Qt.Key_Return)
    assert box.text() == "service == "
    assert offered(box) == ["rest", '"ws echo"']
    QTest.keyClick(box, Qt.Key_Up)
    QTest.keyClick(box, Qt.Key_Return)
    assert box.text() == 'service == "ws echo" '
    assert box.hasFocus()


def test_values_stay_offered_while_the_filter_is_not_complete(box: FilterBox, qtbot: QtBot) -> None:
    QTest.keyClicks(box, "service ==")
    assert not box.apply()  # as after the pause
    assert offered(box) == ["rest", '"ws echo"']
    assert words(box) == ""
    QTest.keyClick(box, Qt.Key_Return)
    assert offered(box) == []
    assert words(box).startswith("At character 11: the filter is not complete. After “==” comes a value")


def test_escape_closes_the_list_first_and_then_empties_the_box(box: FilterBox, qtbot: QtBot) -> None:
    QTest.keyClicks(box, "pe")
    assert offered(box) == ["peer"]
    QTest.keyClick(box, Qt.Key_Escape)
    assert offered(box) == []
    assert box.text() == "pe"
    with qtbot.waitSignal(box.left):
        QTest.keyClick(box, Qt.Key_Escape)
    assert box.text() == ""


def test_the_button_in_the_box_only_empties_it(box: FilterBox, qtbot: QtBot) -> None:
    QTest.keyClicks(box, "size > 100")
    [clear] = [button for button in box.findChildren(QToolButton) if button.defaultAction().objectName()]
    with qtbot.waitSignal(box.typed) as told:
        QTest.mouseClick(clear, Qt.LeftButton)
    assert told.args == [""]
    assert (box.text(), offered(box)) == ("", [])
    QTest.keyClick(box, Qt.Key_Down)
    assert "service" in offered(box)


def test_return_looks_at_once(box: FilterBox, qtbot: QtBot) -> None:
    QTest.keyClicks(box, "zip")
    with qtbot.waitSignal(box.typed, timeout=0):
        QTest.keyClick(box, Qt.Key_Return)


def test_a_cells_condition_is_added(box: FilterBox, qtbot: QtBot) -> None:
    box.setText("zip")
    with qtbot.waitSignal(box.typed) as told:
        box.narrow("conn == 7")
    assert told.args == ["zip and conn == 7"]


def test_a_filter_is_saved_taken_and_forgotten(box: FilterBox, qtbot: QtBot) -> None:
    def entries() -> list[str]:
        return [action.text() for action in box.saved_menu().actions() if action.isEnabled() and action.text()]

    assert entries() == []
    box.setText("size > 100")
    assert entries() == ["Save this filter"]
    with qtbot.waitSignal(box.saved_changed) as told:
        box.saved_menu().actions()[-1].trigger()
    assert told.args == [["size > 100"]]
    assert entries() == ["size > 100", "Remove from the saved filters"]
    box.setText("other")
    box.saved_menu().actions()[0].trigger()
    assert box.text() == "size > 100"
    box.saved_menu().actions()[-1].trigger()
    assert box.saved == []


def test_filters_that_were_used_are_brought_back_by_up_and_down(box: FilterBox, qtbot: QtBot) -> None:
    for text in ("zip", "size > 100", "size >"):
        box.setText(text)
        QTest.keyClick(box, Qt.Key_Escape)
    assert box.used == ["size > 100", "zip"]  # not what makes no sense
    with qtbot.waitSignal(box.typed) as told:
        QTest.keyClick(box, Qt.Key_Up)
    assert told.args == ["size > 100"]
    texts = []
    for key in (Qt.Key_Up, Qt.Key_Up, Qt.Key_Down, Qt.Key_Down):
        QTest.keyClick(box, key)
        texts.append(box.text())
    assert texts == ["zip", "zip", "size > 100", ""]
    QTest.keyClick(box, Qt.Key_Down)
    assert "service" in offered(box)


def test_a_filter_that_is_typed_is_not_lost_by_up(box: FilterBox) -> None:
    box.used = ["zip"]
    box.setText("tar")
    QTest.keyClick(box, Qt.Key_Up)
    assert box.text() == "tar"


def test_filters_that_were_used_are_in_the_menu_of_saved_ones(box: FilterBox, qtbot: QtBot) -> None:
    box.saved, box.used = ["zip"], ["tar", "zip"]
    [used] = [action for action in box.saved_menu().actions() if action.text() == "tar"]
    with qtbot.waitSignal(box.typed) as told:
        used.trigger()
    assert told.args == ["tar"]


def test_a_filter_that_makes_no_sense_is_not_saved(box: FilterBox) -> None:
    box.setText("size >")
    assert not box.saved_menu().actions()[-1].isEnabled()


@pytest.mark.qt_log_ignore(r"^This plugin does not support (raise\(\)|grabbing the keyboard)$")
def test_the_saved_filters_open_below_their_button(box: FilterBox, qtbot: QtBot) -> None:
    box.resize(600, box.height())
    [button] = [found for found in box.findChildren(QToolButton) if found.toolTip() == "Saved filters"]
    QTest.mouseClick(button, Qt.LeftButton)
    [menu] = box.findChildren(QMenu)
    corner = menu.mapToGlobal(menu.rect().topRight())
    assert corner.x() == button.mapToGlobal(button.rect().topRight()).x()
    assert corner.y() == box.mapToGlobal(box.rect().bottomLeft()).y() + 1
    menu.close()


# -- the star, and the row of filters


@pytest.fixture
def chips(box: FilterBox) -> FilterChips:
    made = FilterChips(box, box.window())
    made.resize(600, 30)
    made.show()
    return made


def texts(chips: FilterChips) -> list[str]:
    return [chip.text().strip() for chip in chips.chips if not chip.isHidden()]


def test_the_star_saves_what_is_typed_and_forgets_it(box: FilterBox, chips: FilterChips) -> None:
    assert not box.star.isVisible()
    box.setText("size >")
    assert not box.star.isVisible()
    box.setText("size > 100")
    assert (box.star.isVisible(), box.star.toolTip()) == (True, "Save this filter")
    [button] = [found for found in box.findChildren(QToolButton) if found.defaultAction() is box.star]
    QTest.mouseClick(button, Qt.LeftButton)
    assert (box.saved, texts(chips), box.star.toolTip()) == (
        ["size > 100"],
        ["size > 100"],
        "Remove from the saved filters",
    )
    QTest.mouseClick(button, Qt.LeftButton)
    assert (box.saved, texts(chips), chips.isVisible()) == ([], [], False)


def test_a_chip_applies_its_filter_and_takes_it_back(box: FilterBox, chips: FilterChips, qtbot: QtBot) -> None:
    box.setText("zip")
    QTest.keyClick(box, Qt.Key_Return)
    QTest.keyClick(box, Qt.Key_Escape)
    [chip] = chips.chips
    assert chip.property("current") is False
    for typed in ("zip", ""):
        with qtbot.waitSignal(box.typed) as told:
            QTest.mouseClick(chips.chips[0], Qt.LeftButton)
        assert told.args == [typed]
        assert chips.chips[0].property("current") is bool(typed)


def test_chips_stay_where_they_are_and_saved_ones_stand_first(box: FilterBox, chips: FilterChips) -> None:
    for typed in ("one", "two", "three"):
        box.setText(typed)
        QTest.keyClick(box, Qt.Key_Escape)
    assert texts(chips) == ["three", "two", "one"]
    QTest.mouseClick(chips.chips[2], Qt.LeftButton)
    QTest.mouseClick(chips.chips[1], Qt.LeftButton)
    assert texts(chips) == ["three", "two", "one"]
    box.keep("one")
    assert texts(chips) == ["one", "three", "two"]
    box.forget("three")
    assert texts(chips) == ["one", "two"]
    box.speak(CONVERSATION_FIELDS, "")
    box.setText("received > 10")
    QTest.keyClick(box, Qt.Key_Return)
    assert "received > 10" in texts(chips)
    box.speak(FIELDS, "")
    assert "received > 10" not in texts(chips)  # a filter of another kind of pane


def test_chips_without_room_are_left_out(box: FilterBox, chips: FilterChips) -> None:
    box.used = [f"summary contains {number} and more than fits" for number in range(12)]
    chips.refresh()
    assert 0 < len(texts(chips)) < 12
    assert all(len(text) <= 32 for text in texts(chips))
    right = max(chip.geometry().right() for chip in chips.chips if not chip.isHidden())
    assert right <= chips.width()
