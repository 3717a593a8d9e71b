"""How command lines are parsed: parsers that report a mistake in one line, and the types of arguments."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any, NoReturn

from app.commands.exit_codes import WRONG_USAGE


class Parser(argparse.ArgumentParser):
    """Reports a mistake in one line; argparse itself adds the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"listening-post: {message}. See {self.prog} --help\n")


class CommandParser(Parser):
    """Takes an optional positional argument behind options too, as in ``send URL --hex DATA``."""

    _intermixing = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        whole = any(action.nargs == argparse.REMAINDER for action in self._actions)  # takes the options behind it, too
        if self._intermixing or whole:  # parse_known_intermixed_args calls this method
            return super().parse_known_args(args, namespace)
        self._intermixing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._intermixing = False


def add_capturing(parser: argparse.ArgumentParser) -> None:
    """What a command takes that captures for a time and prints the events."""
    parser.add_argument(
        "--capture", type=Path, metavar="FILE", help="file to capture into; by default a new one in the data folder"
    )
    parser.add_argument("--for", dest="seconds", type=seconds, metavar="S", help="stop after S seconds")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print each event as one JSON object a line")
    form.add_argument("--quiet", action="store_true", help="do not print events: printing takes time under full load")
    parser.add_argument(
        "--limit", type=size, metavar="SIZE",
        help="delete the oldest events when the capture is larger than this: 500MB, 2GB (the default)",
    )  # fmt: skip


def add_allow(parser: argparse.ArgumentParser) -> None:
    """What a command takes that lets another process read and steer what it serves."""
    parser.add_argument(
        "--allow", choices=("read", "control", "change"),
        help="what may be done from elsewhere: read (the default); control: also start, stop, fail, send; change: also"
        " add and remove services. By default what [outpost] of the workspace says",
    )  # fmt: skip


def milliseconds(text: str) -> float:
    """From 0 to a day."""
    value = float(text)
    if not 0 <= value <= 86_400_000:
        raise argparse.ArgumentTypeError("must be from 0 to 86400000")
    return value


def seconds(text: str) -> float:
    """More than 0."""
    value = float(text)
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def count(text: str) -> int:
    """A whole number from 0."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return value


def seed(text: str) -> int:
    """A whole number from 1 that a workspace can have."""
    value = int(text)
    if not 1 <= value < 1 << 63:
        raise argparse.ArgumentTypeError("must be from 1 to 9223372036854775807")
    return value


def switch(text: str) -> tuple[str, bool]:
    """``NAME=on`` or ``NAME=off``: the name, and whether it is on."""
    name, _, state = text.rpartition("=")
    if not name or state not in ("on", "off"):
        raise argparse.ArgumentTypeError("must be NAME=on or NAME=off")
    return name, state == "on"


def size(text: str) -> int:
    """A size such as ``500MB``, in bytes."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kMG]?)B?", text, re.IGNORECASE)
    if not match:
        raise argparse.ArgumentTypeError("must be a size, as in 500MB or 2GB")
    value = int(float(match[1]) * {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}[match[2].lower()])
    if value < 1_000_000:
        raise argparse.ArgumentTypeError("must be at least 1MB")
    return value
