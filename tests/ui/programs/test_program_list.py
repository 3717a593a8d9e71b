"""Hosted programs in the window: their rows, their dialog, and what is done to them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt5.QtCore import QMimeData, QPoint, QRect, Qt, QUrl
from PyQt5.QtGui import QDropEvent
from PyQt5.QtWidgets import QDialogButtonBox

from app import events
from app.faults.presets import PRESETS
from app.programs import hosted
from app.programs.config import ProgramConfig
from app.programs.fields import fields_of, table_of
from app.programs.hosted import HostedProgram
from app.status import Failed, Running, Stopped
from app.workspace import reading
from tests.ui.desk import do, settle
from ui.services.connect_dialog import ConnectDialog
from ui.services.rows import Heading, ServiceRow
from ui.window.main_window import MainWindow
from ui.workbench.faults.dialog import FaultsDialog

pytestmark = pytest.mark.qt_log_ignore(r"^This plugin does not support (raise\(\)|grabbing the keyboard)$")


class Process:
    """Stands for a process. ``done`` lists what was ordered of it, and how it was ended."""

    tail = b""

    def __init__(self, reactor, recorder, number, shown, heard, in_thread, ended) -> None:  # type: ignore[no-untyped-def]
        self.pid, self.ended, self.done = 0, ended, []

    def start(self, program, folder, ports, faults, seed) -> None:  # type: ignore[no-untyped-def]
        self.pid = 4711
        self.program, self.ports = program, ports

    def order(self, **words: object) -> None:
        self.done.append(words)

    def send_signal(self, number: int) -> None:
        self.ended(-number, False)

    def kill(self) -> None:
        self.ended(-9, False)


@pytest.fixture
def desk(window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MainWindow:
    """A window whose workspace has the program ``echo`` besides its services."""
    monkeypatch.setattr(hosted, "Process", Process)
    (tmp_path / "echo.py").write_text("")
    window.edits.set_programs([ProgramConfig("echo", (str(tmp_path / "echo.py"),))], "add")
    settle()
    return window


def program(window: MainWindow) -> HostedProgram:
    return window._post.programs.all["echo"]


def begin(window: MainWindow) -> HostedProgram:
    """Start it, and have it open a port."""
    window.services.select("echo")
    do(window, "toggle_service")
    one = program(window)
    assert isinstance(one.status, Running)
    number = one.open.on_port(1, "Echo:9620", "tcp")
    one.open.on_status(1, events.SERVICE_STARTED, {"host": "127.0.0.1:9620"})
    one.open.on_opened(1, 900, 1, {"peer": "127.0.0.1:50000", "host": "127.0.0.1:9620"})
    assert number
    window._post.programs._tell()
    settle()
    return one


def rows(window: MainWindow) -> list[str]:
    return [row.group if isinstance(row, Heading) else row.title for row in window.services._model.rows]


def row(window: MainWindow, name: str) -> ServiceRow:
    found = window.services._model.rows[window.services._model.at(name)]
    assert isinstance(found, ServiceRow)
    return found


def test_a_program_and_its_ports_are_a_group(desk: MainWindow) -> None:
    begin(desk)
    assert rows(desk)[-3:] == ["echo", "echo", "Echo:9620"]
    assert row(desk, "echo").word == "running"
    assert row(desk, "echo/Echo:9620").address == "127.0.0.1:9620"
    desk.services.select("echo/Echo:9620")
    settle()
    assert list(desk.connections._model.numbers) == [900]


def test_stop_on_a_port_closes_it_and_on_the_program_ends_that(desk: MainWindow) -> None:
    one = begin(desk)
    process = one._process
    desk.services.select("echo/Echo:9620")
    do(desk, "toggle_service")
    assert process.done == [{"do": "stop", "service": 1}]  # type: ignore[union-attr]
    desk.services.select("echo")
    do(desk, "toggle_service")
    assert one.status == Stopped()
    assert rows(desk)[-2:] == ["echo", "echo"]


def test_it_is_started_again_by_its_key_and_killed_by_the_button(desk: MainWindow) -> None:
    one = begin(desk)
    before = one._process
    do(desk, "restart_program")
    assert one._process is not before
    one.on_note({"blocked": "echo.py:7 in spin: it has answered nobody for 2 s"})
    settle()
    assert "echo.py:7 in spin" in desk.services.trouble.words.text()
    assert desk.services.trouble.kill.isVisibleTo(desk)
    desk.services.trouble.kill.click()
    assert one.status == Stopped()
    assert not desk.actions_["kill_program"].isEnabled()


def test_the_row_of_one_that_is_not_seen_any_more_says_so(desk: MainWindow) -> None:
    begin(desk).on_unseen()
    settle()
    assert row(desk, "echo").word == "unseen"
    assert desk.services.trouble.words.text() == (
        "The program goes on, but nothing more is seen of it until it is started again."
    )


def test_the_words_of_its_end_stand_below_the_list(desk: MainWindow) -> None:
    one = begin(desk)
    one.on_words(events.LOG, "the program called sys.exit(3) at echo.py:12")
    assert one._process is not None
    one._process.ended(3, False)  # type: ignore[attr-defined]
    settle()
    assert isinstance(one.status, Failed)
    assert "exit code 3: the program called sys.exit(3) at echo.py:12" in desk.services.trouble.words.text()


def test_the_words_of_its_end_have_what_a_port_that_is_taken_says_to_do(desk: MainWindow) -> None:
    one = begin(desk)
    one.open.on_port(2, "Site:80", "tcp")
    advice = "Port 80 is in use by nginx (pid 7). Stop that, or have this program listen on another one: ports = …"
    one.open.on_status(2, events.SERVICE_FAILED, {"reason": f"Couldn't listen on any:80: taken. {advice}"})
    one.on_words(
        events.FAILURE, "twisted.internet.error.CannotListenError: Couldn't listen on any:80: taken.  (a.py:3)"
    )
    one._process.ended(1, False)  # type: ignore[union-attr]
    assert one.said.endswith(f"(a.py:3). {advice}")
    settle()
    assert "twisted.\u200binternet.\u200berror.\u200bCannotListenError" in desk.services.trouble.words.text()


def test_the_protocol_gives_way_to_the_name_of_a_port_in_a_narrow_list(desk: MainWindow) -> None:
    one = begin(desk)
    one.open.on_port(2, "EchoFactory:9621", "tcp")
    one.open.on_status(2, events.SERVICE_STARTED, {"host": "0.0.0.0:9621"})
    desk._post.programs._tell()
    settle()
    delegate, found = desk.services.list.itemDelegate(), row(desk, "echo/EchoFactory:9621")
    room = delegate.fonts.name_room() + delegate.fonts.badge_size("EXPOSED").width()

    def shown(width: int) -> set[str]:
        return set(delegate.marks(found, delegate.layout_of(QRect(0, 0, width, 40))))

    assert shown(room + 80) == {"exposed"}
    assert shown(room + 200) == {"exposed", "badge"}


def test_the_row_stays_in_view_when_words_about_it_take_its_room(desk: MainWindow) -> None:
    begin(desk)
    rows = desk.services.list
    desk.services.select("echo")
    room = rows.viewport().height()
    rows.resize(rows.width(), rows.visualRect(rows.currentIndex()).top() + 5)
    settle()
    assert rows.viewport().height() < room
    assert rows.viewport().rect().contains(rows.visualRect(rows.currentIndex()).center())


def test_the_program_is_selected_while_its_port_is_closed(desk: MainWindow) -> None:
    one = begin(desk)
    one.open.on_closed(1, 900)
    desk.edits.set_programs([*desk._post.programs.configs(), replace(one.config, name="next")], "add")
    settle()
    desk.services.select("echo/Echo:9620")

    def after(*words: object) -> str:
        one.open.on_status(*words)  # type: ignore[arg-type]
        desk._post.programs._tell()
        settle()
        return desk.services.selected

    assert after(1, events.SERVICE_STOPPED, {}) == "echo"
    one.open.on_port(2, "Echo:9620", "tcp")
    assert after(2, events.SERVICE_STARTED, {"host": "127.0.0.1:9620"}) == "echo/Echo:9620"
    after(2, events.SERVICE_STOPPED, {})
    desk.services.select("next")
    one.open.on_port(3, "Echo:9620", "tcp")
    assert after(3, events.SERVICE_STARTED, {"host": "127.0.0.1:9620"}) == "next"


def test_faults_by_hand_reach_the_program(desk: MainWindow) -> None:
    one = begin(desk)
    desk.faults._strike_live(900, "fault_reset")
    assert one._process.done == [{"do": "strike", "conn": 1, "table": {"kind": "reset"}}]  # type: ignore[union-attr]


def test_faults_of_a_port_are_of_the_workspace_and_are_undone_while_it_runs(desk: MainWindow) -> None:
    one = begin(desk)
    [port] = one.ports.values()
    changes = desk.faults._changes
    assert changes.put_preset("echo/Echo:9620", PRESETS[0]) == ""
    settle()
    fault = port.config.faults[0]
    assert one.config.faults[0] == {"port": "Echo:9620", **fault}
    at = [fault["kind"] for fault in port.config.faults].index("delay")
    assert changes.set_figure("echo/Echo:9620", at, "ms", 77.0) == ""
    settle()
    assert port.config.faults[at]["ms"] == 77.0
    assert one._process.done[-1]["tables"][at]["ms"] == 77.0  # type: ignore[union-attr]
    desk.edits.undo()
    desk.edits.undo()
    settle()
    assert program(desk) is one
    assert isinstance(one.status, Running)
    assert (port.config.faults, one.config.faults) == ((), ())
    desk.edits.redo()
    settle()
    assert port.config.faults[0] == fault


def test_faults_of_a_port_are_edited_in_a_dialog(desk: MainWindow) -> None:
    one = begin(desk)
    [port] = one.ports.values()
    desk.services.select("echo/Echo:9620")
    do(desk, "edit_faults")
    [dialog] = desk.findChildren(FaultsDialog)
    dialog.section._add("delay")
    dialog.buttons.button(QDialogButtonBox.Ok).click()
    settle()
    assert [fault["kind"] for fault in port.config.faults] == ["delay"]
    assert one.config.faults[0]["port"] == "Echo:9620"
    desk.edits.undo()
    settle()
    assert port.config.faults == ()


def test_actions_on_a_port_act_or_are_off(desk: MainWindow) -> None:
    of_service = {"duplicate_service", "copy_to_outpost"}
    of_port = {"send_to_service", "watch_service", "connect_lines", "edit_faults"}

    def on() -> set[str]:
        return {name for name in of_service | of_port if desk.actions_[name].isEnabled()}

    one = begin(desk)
    assert on() == set()  # of the program itself
    desk.services.select("echo/Echo:9620")
    assert on() == of_port
    do(desk, "send_to_service")
    assert desk.sending.dock.form.url.text() == "tcp://127.0.0.1:9620"
    do(desk, "connect_lines")
    assert [dialog._port for dialog in desk.findChildren(ConnectDialog)] == [9620]
    do(desk, "watch_service")
    assert desk.watches.dialog is not None
    assert desk.watches.dialog.form._rows["target"][0].text() == "tcp://127.0.0.1:9620"
    failure = events.Event(1, 0, events.FAILURE, "echo/Echo:9620", 1, None, 1, "", payload=b"x")
    assert desk.failure_actions.can_send(failure)
    one.ports[1].goes_out()
    desk.edits.changed.emit()
    assert on() == {"edit_faults"}  # what the program connects to
    assert not desk.failure_actions.can_send(failure)
    desk.services.select(next(iter(desk._post.services)))
    assert on() == of_service | of_port


def test_a_fault_of_a_port_that_the_system_chose_is_there_in_the_next_run(desk: MainWindow) -> None:
    one = begin(desk)
    started = {"host": "127.0.0.1:40001", "any_port": True}
    one.open.on_port(2, "Web:40001", "tcp")
    one.open.on_status(2, events.SERVICE_STARTED, started)
    assert desk.faults._changes.put_preset("echo/Web:40001", PRESETS[0]) == ""
    settle()
    assert {fault["port"] for fault in one.config.faults} == {"Web"}
    one.open.on_status(2, events.SERVICE_STOPPED, {})
    one.open.on_port(3, "Web:40002", "tcp")
    assert one.ports[3].config.faults == PRESETS[0].tables("tcp")


def test_a_form_of_a_program_keeps_its_faults_and_has_its_python(desk: MainWindow) -> None:
    fault = {"port": "outgoing", "kind": "delay", "ms": 3.0}
    [config] = desk.edits.state.programs
    desk.edits.set_programs([replace(config, faults=(fault,))], "x")
    settle()
    desk.programs.edit("echo")
    dialog = desk.programs.dialog
    assert dialog is not None
    dialog.form._rows["python"][0].setText(".venv")
    dialog.buttons.button(QDialogButtonBox.Ok).click()
    settle()
    changed = program(desk).config
    assert (changed.python, changed.faults) == (".venv", (fault,))


def test_removing_it_can_be_undone(desk: MainWindow) -> None:
    desk.services.select("echo")
    do(desk, "remove_service")
    settle()
    assert "echo" not in desk._post.programs.all
    desk.edits.undo()
    settle()
    assert "echo" in desk._post.programs.all


def test_a_file_that_is_dropped_is_offered_and_runs(desk: MainWindow, tmp_path: Path) -> None:
    (tmp_path / "server.tac").write_text("")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "server.tac"))])
    desk.dropEvent(QDropEvent(QPoint(5, 5), Qt.CopyAction, data, Qt.LeftButton, Qt.NoModifier))
    settle()
    dialog = desk.programs.dialog
    assert dialog is not None
    assert dialog.form.options()["name"] == "server"
    dialog.buttons.button(QDialogButtonBox.Ok).click()
    settle()
    made = desk._post.programs.all["server"]
    assert isinstance(made.status, Running)
    assert (made.config.run, made.config.folder) == (("server.tac",), str(tmp_path))
    assert desk._settings.program["program"] == "server.tac"


def test_the_dialog_says_what_is_wrong(desk: MainWindow) -> None:
    do(desk, "run_program")
    dialog = desk.programs.dialog
    assert dialog is not None
    ok = dialog.buttons.button(QDialogButtonBox.Ok)
    assert not ok.isEnabled()
    editors = dialog.form._rows
    editors["program"][0].setText("-m mypackage.server")
    assert editors["name"][0].text() == "server"
    assert ok.isEnabled()
    editors["program"][0].setText("web.py --debug")
    assert editors["name"][0].text() == "web"
    editors["ports"][0].setPlainText("8000 18000")
    assert not ok.isEnabled()
    assert "as in 8000=18000" in editors["ports"][1].text()
    editors["ports"][0].setPlainText("8000=18000")
    editors["name"][0].setText("echo")
    assert "is taken" in editors["name"][1].text()
    dialog.cancel()
    settle()


@pytest.mark.parametrize(
    "run", [["echo.py"], ["echo.py", "--port", "9 0"], ["-m", "a.b", "x"], ["twist", "web", "--path", "."]]
)
def test_the_dialog_gives_back_what_it_was_given(run: list[str], tmp_path: Path) -> None:
    table = {"name": "a", "run": run, "python": ".venv", "restart": "on-change", "ports": {"1": "2"}, "autostart": True}
    assert table_of(fields_of(table), tmp_path) == table


def test_a_workspace_keeps_its_programs(desk: MainWindow, tmp_path: Path) -> None:
    file = tmp_path / "w.toml"
    desk.edits.set_programs([ProgramConfig("a", ("-m", "b"), ports={"8000": "18000"}, restart="on-failure")], "x")
    settle()
    from app.workspace import saving

    saving.save(desk.edits.state, file)
    assert reading.load(file).programs == desk.edits.state.programs
    file.write_text('version = 1\n[[program]]\nname = "a/b"\nrun = []\nrestrat = "x"\nports = { "x" = "1" }\n')
    wrong = [str(problem) for problem in reading.problems_of(file)]
    assert [line.split(":")[0] + line.split(":")[1] for line in wrong] == ["3 name", "4 run", "5 restrat", "6 ports"]
    assert json.dumps(wrong).count("is unknown") == 1
