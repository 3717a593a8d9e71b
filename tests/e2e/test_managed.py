"""The window among others on a desktop with a window manager: focus, its dialogs, its size, its end."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from socket import create_connection

from app.events import CONNECTION_CLOSED
from tests.e2e.conftest import Start
from tests.e2e.display import Display, display, wait_shown
from tests.e2e.program import Program, running
from tests.e2e.workspaces import ECHO


def type_blind(screen: Display, *keys: str) -> None:
    """Press keys without giving anybody the focus: whoever has it gets them."""
    screen.xdotool("key", *keys)


def has_focus(program: Program, window: str) -> None:
    """Wait until the window manager has given the keyboard to this window."""
    wait_shown(lambda: program.display.active() == window)


def centre(screen: Display, window: str) -> tuple[float, float]:
    left, top, width, height = screen.place(window)
    return left + width / 2, top + height / 2


def test_a_dialog_gets_the_keyboard_stands_over_its_window_and_gives_the_keyboard_back(start: Start) -> None:
    program = start(ECHO)
    screen = program.display
    has_focus(program, program.window)  # a new window has it, unasked
    for key, title in (("ctrl+n", "New service"), ("ctrl+comma", "Settings"), ("ctrl+shift+e", "Export what")):
        type_blind(screen, key)
        dialog = program.wait_window(title)
        has_focus(program, dialog)
        assert program.window in [hex_of(one) for one in screen.properties(dialog, "WM_TRANSIENT_FOR").split()]
        (x, y), (over_x, over_y) = centre(screen, dialog), centre(screen, program.window)
        assert abs(x - over_x) <= 10, title
        assert abs(y - over_y) <= 40, title  # Qt counts the frame of the one, and not yet of the other
        type_blind(screen, "Escape")
        wait_shown(lambda title=title: not program.windows(title))
        has_focus(program, program.window)


def hex_of(word: str) -> str:
    return str(int(word, 16)) if word.startswith("0x") else ""


def test_closing_by_the_keys_of_the_desktop_asks_and_then_leaves(start: Start) -> None:
    program = start(ECHO, "--start")
    program.wait_up(1)
    has_focus(program, program.window)
    with closing(create_connection(program.addresses()["tcp-echo"])) as client:
        client.sendall(b"here")
        assert client.recv(100) == b"here"
        type_blind(program.display, "alt+F4")
        has_focus(program, question := program.wait_window("Quit"))
        type_blind(program.display, "alt+F4")  # which closes the question, and answers it with no
        wait_shown(lambda: question not in program.windows("Quit"))
        has_focus(program, program.window)
        client.sendall(b"still here")
        assert client.recv(100) == b"still here"
    program.wait_event(lambda event: event.kind == CONNECTION_CLOSED)
    type_blind(program.display, "alt+F4")
    assert program.wait() == 0


def test_a_window_that_was_maximized_comes_back_so_and_then_to_the_size_before(start: Start) -> None:
    program = start(ECHO)
    has_focus(program, program.window)
    _, _, width, height = program.display.place(program.window)
    maximize(program)
    type_blind(program.display, "ctrl+q")
    assert program.wait() == 0
    program = start(ECHO)
    wait_shown(lambda: "MAXIMIZED" in program.display.properties(program.window, "_NET_WM_STATE"))
    has_focus(program, program.window)
    type_blind(program.display, "alt+F10")
    wait_shown(lambda: program.display.place(program.window)[2:] == (width, height))


def maximize(program: Program) -> None:
    type_blind(program.display, "alt+F10")
    wait_shown(lambda: "MAXIMIZED" in program.display.properties(program.window, "_NET_WM_STATE"))


def test_where_a_pixel_is_one_and_a_half_of_the_screens_the_window_grows_by_whole_ones_of_both(tmp_path: Path) -> None:
    """Else the window manager takes a pixel away each time that the least size changes, as with a dock that opens."""
    workspace = tmp_path / "desk.toml"
    workspace.write_text(ECHO)
    with (
        display(managed=True, size=(2100, 1250)) as screen,
        running(screen, workspace, tmp_path, scale="1.5") as program,
    ):
        hints = screen.properties(program.window, "WM_NORMAL_HINTS")
        assert "resize increment: 3 by 3" in hints
        assert "base size: 3 by 3" in hints
        _, _, width, height = screen.place(program.window)
        assert (width % 3, height % 3) == (0, 0)
