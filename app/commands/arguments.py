"""How command lines are parsed: parsers that report a mistake in one line, and the types of arguments."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from app.commands.exit_codes import WRONG_USAGE


class Parser(argparse.ArgumentParser):
    """Reports a mistake in one line; argparse itself adds the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"listening-post: {message}. See {self.prog} --help\n")


class LastOption(argparse.Action):
    """What stands behind it and its value is no option of the command, but of what the command runs: ``-m MODULE``."""

    def __call__(self, _parser: Any, namespace: argparse.Namespace, values: Any, _option: Any = None) -> None:
        setattr(namespace, self.dest, values)


class CommandParser(Parser):
    """Takes an optional positional argument behind options too, as in ``send URL --hex DATA``.

    Where the last argument takes all that is left, its words are not looked at: they may look like our options.
    """

    _intermixing = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        rest = next((action for action in self._actions if action.nargs == argparse.REMAINDER), None)
        if rest is not None:
            end = self._end_of_options(args)
            namespace, unknown = super().parse_known_args(args[:end], namespace)
            setattr(namespace, rest.dest, list(args[end:]))
            return namespace, unknown
        if self._intermixing:  # parse_known_intermixed_args calls this method
            return super().parse_known_args(args, namespace)
        self._intermixing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._intermixing = False

    def _end_of_options(self, args: Sequence[str]) -> int:
        """How many of the words, from the first on, are our options and their values."""
        at = 0
        while at < len(args) and args[at].startswith("-") and args[at] != "--":
            action, apart = self._option(args[at])
            at += 1 + (apart and action is not None and action.nargs is None)
            if isinstance(action, LastOption):
                break
        return min(at, len(args))

    def _option(self, word: str) -> tuple[argparse.Action | None, bool]:
        """The option that a word begins with, which may be shortened, and whether its value is the next word."""
        named = self._option_string_actions
        if not word.startswith("--"):
            return named.get(word[:2]), len(word) == 2
        meant = {id(action): action for name, action in named.items() if name.startswith(word)}
        return named.get(word) or (next(iter(meant.values())) if len(meant) == 1 else None), True


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
