"""A display for the programs under test, with input and screenshots: Xvfb, openbox, xdotool, import."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from PyQt5.QtGui import QImage

from tests.helpers import wait_for

SIZE = (1366, 768)

_PAUSE = 0.05


class Display:
    """An X server, with a window manager or without.

    Attributes:
        name: as in ``$DISPLAY``.
        managed: whether there is a window manager.
    """

    def __init__(self, name: str, managed: bool = False) -> None:
        self.name, self.managed = name, managed

    def environment(self) -> dict[str, str]:
        """The environment of a program on this display, without proxies, which would break local clients."""
        kept = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        return {**kept, "DISPLAY": self.name, "QT_QPA_PLATFORM": "xcb", "PYTHONUNBUFFERED": "1"}

    def xdotool(self, *args: object) -> str:
        """Run xdotool. Returns its output; empty if it finds nothing."""
        command = ["xdotool", *map(str, args)]
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, timeout=10, check=False)
        return done.stdout.strip()

    def windows(self, pid: int, title: str) -> list[str]:
        """The visible windows of a process whose title matches."""
        return self.xdotool("search", "--all", "--onlyvisible", "--pid", pid, "--name", title).split()

    def press(self, window: str, *keys: str) -> None:
        """Press keys in a window, for example ``ctrl+q``."""
        self.focus(window)
        self.xdotool("key", *keys)

    def type(self, window: str, text: str) -> None:
        self.focus(window)
        self.xdotool("type", "--delay", 1, text)

    def focus(self, window: str) -> None:
        """Give the keyboard focus to a window, as a taskbar does; without a window manager, by the X server."""
        if self.xdotool("getwindowfocus") != window:
            self.xdotool("windowactivate" if self.managed else "windowfocus", window)
            wait_shown(lambda: self.xdotool("getwindowfocus") == window)

    def active(self) -> str:
        """The window that the window manager gave the keyboard to; "": none."""
        return self.xdotool("getactivewindow")

    def place(self, window: str) -> tuple[int, int, int, int]:
        """Where a window is on the screen, without its frame: x, y, width, height."""
        # Not by xdotool, which counts the frame twice.
        done = self._run("xwininfo", "-id", window)
        names = ("Absolute upper-left X", "Absolute upper-left Y", "Width", "Height")
        left, top, width, height = (int(done.partition(f"{name}:")[2].split()[0]) for name in names)
        return left, top, width, height

    def properties(self, window: str, *names: str) -> str:
        """What a window's properties say, as xprop writes them."""
        return self._run("xprop", "-id", window, *names)

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, timeout=10, check=True)
        return done.stdout

    def click(self, x: int, y: int, *, times: int = 1) -> None:
        self.xdotool("mousemove", x, y, "click", "--repeat", times, 1)

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Press at ``start``, move to ``end`` in steps as a hand does, and let go."""
        self.xdotool("mousemove", *start, "mousedown", 1)
        for step in range(1, 9):
            self.xdotool("mousemove", *(a + (b - a) * step // 8 for a, b in zip(start, end, strict=True)))
        self.xdotool("mouseup", 1)

    def park(self) -> None:
        """Move the pointer to a place without controls that react to it."""
        self.xdotool("mousemove", SIZE[0] - 1, SIZE[1] - 1)

    def screenshot(self, path: Path, window: str = "root") -> QImage:
        """Take a picture of the screen, or of one window, and save it as ``path``."""
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["import", "-window", window, str(path)], env=self.environment(), timeout=20, check=True)
        return QImage(str(path))

    def color(self, x: int, y: int) -> str:
        """The colour of a pixel, as ``#rrggbb``."""
        command = ["import", "-window", "root", "-crop", f"1x1+{x}+{y}", "-depth", "8", "rgb:-"]
        done = subprocess.run(command, env=self.environment(), timeout=20, check=True, stdout=subprocess.PIPE)
        return f"#{done.stdout.hex()}"

    def ask_to_close(self, window: str) -> None:
        """Close a window as a window manager does when its close button is clicked."""
        _delete_window(self.name, int(window))


def wait_shown(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """As ``wait_for``, for what a process has to look for on the display."""
    return wait_for(condition, seconds, _PAUSE)


@contextmanager
def display(*, managed: bool = False, size: tuple[int, int] = SIZE) -> Iterator[Display]:
    """Start an Xvfb on a free display, with ``managed`` a window manager on it. Both are ended afterwards."""
    reading, writing = os.pipe()
    screen = f"{size[0]}x{size[1]}x24"
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", screen, "-dpi", "96", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as pipe:
            number = pipe.readline().strip()
        assert number, "Xvfb did not start"
        opened = Display(f":{number}", managed)
        with _manager(opened) if managed else nullcontext():
            yield opened
    finally:
        server.terminate()
        server.wait(10)


@contextmanager
def _manager(display: Display) -> Iterator[None]:
    """Have openbox manage the windows, by settings of our own."""
    command = ["openbox", "--sm-disable", "--config-file", str(Path(__file__).with_name("openbox.xml"))]
    manager = subprocess.Popen(command, env=display.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        # It says so on the root window as soon as it takes care of windows (EWMH).
        root = ["xprop", "-root", "_NET_SUPPORTING_WM_CHECK"]
        wait_shown(lambda: b"window id" in subprocess.run(root, env=display.environment(), capture_output=True).stdout)
        yield
    finally:
        manager.terminate()
        manager.wait(10)


class _ClientMessage(ctypes.Structure):
    """XClientMessageEvent, padded to the size of an XEvent."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("pad", ctypes.c_long * 24),
    )


def _delete_window(display: str, window: int) -> None:
    """Send WM_DELETE_WINDOW (ICCCM 4.2.8.1); ``xdotool windowclose`` would destroy the window instead."""
    x = ctypes.CDLL("libX11.so.6")
    x.XOpenDisplay.restype = ctypes.c_void_p
    x.XInternAtom.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    x.XInternAtom.restype = ctypes.c_ulong
    x.XSendEvent.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int, ctypes.c_long, ctypes.c_void_p]
    x.XCloseDisplay.argtypes = [ctypes.c_void_p]
    connection = x.XOpenDisplay(display.encode())
    assert connection, f"no display {display}"
    client_message = 33
    event = _ClientMessage(type=client_message, window=window, format=32)
    event.message_type = x.XInternAtom(connection, b"WM_PROTOCOLS", 0)
    event.data[0] = x.XInternAtom(connection, b"WM_DELETE_WINDOW", 0)
    x.XSendEvent(connection, window, 0, 0, ctypes.byref(event))
    x.XCloseDisplay(connection)  # flushes
