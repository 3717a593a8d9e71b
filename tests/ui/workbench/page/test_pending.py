"""Changes on a page that are not applied: shown in the title, asked about before they would be lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from app.status import Listening
from app.workspace import reading
from tests.ui.conftest import Open
from tests.ui.desk import Answer, config, do, pressing, settle
from tests.ui.workbench.bench import Bench, bench, shop

UNAPPLIED = "Changes to “shop” are not applied."


@pytest.fixture
def desk(open_window: Open, qtbot: QtBot, tmp_path: Path) -> Iterator[Bench]:
    with bench(open_window, qtbot, shop(), config("echo", 0)) as made:
        files = made.window.files
        assert files._save(tmp_path / "desk.toml")
        settle()
        yield made


def wait_for_restart(desk: Bench) -> None:
    """Change what a running service does not take."""
    desk.start()
    desk.page.show_section("socket")
    desk.type_into(desk.page.sections.address.port, "0")
    desk.type_into(desk.page.sections.address.host.lineEdit(), "localhost")
    desk.page.apply()


def mistake(desk: Bench) -> None:
    desk.type_into(desk.page.header.name, "echo")
    desk.page.apply()


def saved(desk: Bench) -> list[tuple[str, str]]:
    path = desk.window.files.path
    assert path is not None
    return [(one.name, one.host) for one in reading.load(path).services]


def test_the_title_says_that_something_is_not_applied(desk: Bench) -> None:
    assert not desk.window.isWindowModified()
    wait_for_restart(desk)
    assert not desk.window.files.modified
    assert desk.window.isWindowModified()
    desk.page.restart.discard.click()
    assert not desk.window.isWindowModified()


@pytest.mark.parametrize(
    ("button", "host", "modified"),
    [
        (QMessageBox.Apply, "localhost", False),
        (QMessageBox.Ignore, "127.0.0.1", True),
        (QMessageBox.Cancel, "127.0.0.1", True),
    ],
)
def test_save_asks_about_what_needs_a_restart(
    desk: Bench, button: QMessageBox.StandardButton, host: str, modified: bool
) -> None:
    wait_for_restart(desk)
    answer = pressing(button)
    do(desk.window, "save_workspace")
    assert answer.asked == [UNAPPLIED]
    assert ("shop", host) in saved(desk)
    assert desk.window.isWindowModified() is modified
    desk.qtbot.waitUntil(lambda: desk.config.host == host)
    desk.qtbot.waitUntil(lambda: isinstance(desk.post.services["shop"].status, Listening))


def test_a_mistake_can_only_be_left_out(desk: Bench) -> None:
    mistake(desk)
    found: list[bool] = []

    def reply(box: QMessageBox) -> None:
        found.append(box.button(QMessageBox.Apply) is None)
        box.button(QMessageBox.Ignore).click()

    answer = Answer(reply)
    assert desk.window.files.save()
    assert not answer.isActive()
    assert found == [True]
    assert desk.window.isWindowModified()


def test_save_takes_what_was_just_typed(desk: Bench) -> None:
    desk.page.show_section("socket")
    desk.type_into(desk.page.sections.address.host.lineEdit(), "localhost")
    assert desk.window.files.save()
    assert ("shop", "localhost") in saved(desk)


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
@pytest.mark.parametrize("act", ["quit", "new_workspace"])
def test_nothing_is_lost_without_a_question(desk: Bench, act: str, closed: bool) -> None:
    mistake(desk)
    if closed:
        desk.window.workbench.close("shop")
        assert "“shop” are not applied" in desk.window.notices.notice.label.text()
    found: list[str] = []

    def reply(box: QMessageBox) -> None:
        found.append(box.informativeText())
        box.button(QMessageBox.Cancel).click()

    answer = Answer(reply)
    do(desk.window, act)
    assert not answer.isActive()
    assert UNAPPLIED in found[0]
    assert desk.window.isVisible()
    assert list(desk.post.services) == ["shop", "echo"]


def new_rule(desk: Bench) -> None:
    assert desk.window.workbench.add_rule("shop", "mock", {"path": "/new"})


def move_to_group(desk: Bench) -> None:
    desk.window.edits.replace("shop", replace(desk.config, group="Bench"))


def other_fault(desk: Bench) -> None:
    desk.window.edits.replace("shop", replace(desk.config, faults=({"kind": "delay"},)))


@pytest.mark.parametrize("change", [new_rule, move_to_group, other_fault])
def test_a_change_made_elsewhere_leaves_what_is_not_applied(desk: Bench, change: Callable[[Bench], None]) -> None:
    desk.rules.view.choose(1)
    desk.type_into(desk.editor("path"), "~^/fla(ky")
    desk.page.apply()
    before = desk.config
    change(desk)
    desk.qtbot.waitUntil(lambda: desk.config != before)
    settle()
    kept = desk.page.config()
    assert [rule["path"] for rule in kept.options["rules"] if str(rule.get("path")).startswith("~")] == ["~^/fla(ky"]
    assert not desk.page.settled()
    assert (kept.group, kept.faults) == (desk.config.group, desk.config.faults)
    assert len(kept.options["rules"]) == len(desk.config.options["rules"])
    desk.page.discard()
    assert desk.page.config() == desk.config


def test_what_is_typed_while_something_changes_elsewhere_is_applied_after_the_pause(desk: Bench) -> None:
    desk.rules.view.choose(1)
    desk.type_into(desk.editor("path"), "/other")
    move_to_group(desk)
    desk.until_rules(lambda rules: rules[1]["path"] == "/other")
    assert desk.config.group == "Bench"
