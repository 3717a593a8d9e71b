"""How command lines are read: parsers that say what is wrong in one line, and the values that options take."""

from __future__ import annotations

import argparse
import re
from typing import Any, NoReturn

WRONG_USAGE = 2
"""The exit code."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, where argparse adds the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"listening-post: {message}. See {self.prog} --help\n")


class CommandParser(Parser):
    """Takes what has no name behind options too, as in ``send URL --hex DATA``, where argparse itself does not."""

    _inside = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self._inside:
            return super().parse_known_args(args, namespace)
        self._inside = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._inside = False


def milliseconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 86_400_000:
        raise argparse.ArgumentTypeError("must be from 0 to 86400000")
    return value


def seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return value


def size(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kMG]?)B?", text, re.IGNORECASE)
    if not match:
        raise argparse.ArgumentTypeError("must be a size, as in 500MB or 2GB")
    value = int(float(match[1]) * {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}[match[2].lower()])
    if value < 1_000_000:
        raise argparse.ArgumentTypeError("must be at least 1MB")
    return value
