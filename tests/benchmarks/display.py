"""An Xvfb display for the benchmarks, and functions that watch and control windows on it."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks import procs

WIDTH, HEIGHT = 1366, 768
_BLACK, _COLOR = 0, 0xFFFFFF
_SUBSTRUCTURE_NOTIFY = 1 << 19
_Z_PIXMAP = 2
_MAP_NOTIFY = 19


@contextmanager
def screen() -> Iterator[str]:
    """Start an Xvfb with a black root window on a free display. Yields its name, as in ``DISPLAY``."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-br", "-nolisten", "tcp"],
        pass_fds=[write],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise RuntimeError("Xvfb did not start")
        yield f":{number}"
    finally:
        procs.end(server)


def find_window(display: str, pid: int) -> str:
    """Wait until the process shows its window. Returns the X window's id."""
    command = ["xdotool", "search", "--onlyvisible", "--pid", str(pid), "--name", "Listening Post"]
    found: list[str] = []

    def look() -> bool:
        output = subprocess.run(command, env=_on(display), capture_output=True, text=True, check=False).stdout
        found[:] = output.split()
        return bool(found)

    procs.until(look, 20, "the window did not show", 0.1)
    return found[-1]


def focus(display: str, window: str) -> None:
    """Give the keyboard focus to the window, because there is no window manager."""
    subprocess.run(["xdotool", "windowfocus", "--sync", window], env=_on(display), check=False)


def click(display: str, x: int, y: int) -> None:
    subprocess.run(["xdotool", "mousemove", str(x), str(y), "click", "1"], env=_on(display), check=True)


def press(display: str, *keys: str, times: int = 1) -> None:
    """Press keys by xdotool."""
    command = ["xdotool", "key", "--delay", "30", *list(keys) * times]
    subprocess.run(command, env=_on(display), check=True)


def _on(display: str) -> dict[str, str]:
    return {**os.environ, "DISPLAY": display}


class Watcher:
    """Waits until windows are mapped and painted. It does not poll before the X server reports a window."""

    def __init__(self, display: str) -> None:
        name = ctypes.util.find_library("X11")
        if name is None:
            raise RuntimeError("libX11 is missing")
        self._x = x = ctypes.CDLL(name)
        x.XOpenDisplay.restype = ctypes.c_void_p
        x.XGetImage.restype = ctypes.c_void_p
        x.XGetPixel.restype = ctypes.c_ulong
        x.XDefaultRootWindow.restype = ctypes.c_ulong
        self._display = ctypes.c_void_p(x.XOpenDisplay(display.encode()))
        if not self._display:
            raise RuntimeError(f"cannot open display {display}")
        self._root = ctypes.c_ulong(x.XDefaultRootWindow(self._display))
        x.XSelectInput(self._display, self._root, ctypes.c_long(_SUBSTRUCTURE_NOTIFY))
        x.XSync(self._display, 0)

    def wait_for_window(self) -> tuple[float, float]:
        """Monotonic times when the next top-level window was mapped, and when its middle was first painted."""
        event = (ctypes.c_long * 24)()
        while ctypes.cast(event, ctypes.POINTER(ctypes.c_int))[0] != _MAP_NOTIFY:
            self._x.XNextEvent(self._display, event)
        mapped = time.monotonic()
        while self._pixel(WIDTH // 2, HEIGHT // 2) == _BLACK:
            time.sleep(0.002)
            if time.monotonic() - mapped > 10:
                raise TimeoutError("the window was never painted")
        return mapped, time.monotonic()

    def _pixel(self, x: int, y: int) -> int:
        all_planes = ctypes.c_ulong(0xFFFFFFFF)
        image = ctypes.c_void_p(self._x.XGetImage(self._display, self._root, x, y, 1, 1, all_planes, _Z_PIXMAP))
        pixel = int(self._x.XGetPixel(image, 0, 0)) & _COLOR
        self._x.XDestroyImage(image)
        return pixel

    def close(self) -> None:
        self._x.XCloseDisplay(self._display)
