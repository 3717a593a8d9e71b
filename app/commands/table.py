"""The table of commands, and the parser of the command line.

A command is one module of this folder, or a folder if it has more than one. To add one, write the module and add
its line to ``COMMANDS``; ``Command`` says what the module has to provide. Only the module of the command
that runs is imported. It imports in ``run`` what is slow to import, so that ``--help`` and
wrong usage are answered at once.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from app import __version__
from app.commands import arguments

COMMANDS = {
    "serve": "run a workspace without a screen",
    "run": "run a Twisted program, unchanged, and capture what it does",
    "control": "control a workspace that another process serves",
    "key": "make the key with which an outpost or a console logs in to a router",
    "outpost": "the other end of a console's SSH: let the console read and control this machine",
    "query": "print the events of a capture",
    "chart": "print what happened in a capture over time, as CSV",
    "export": "write a capture for other tools",
    "save": "save a copy of a capture: whole, without payloads, or redacted",
    "send": "send a message and print what comes back",
    "ca": "show the local authority for TLS, and how to trust it",
    "check": "show what is wrong with a workspace, and what it asks for",
    "trust": "allow what a workspace asks for",
    "selftest": "check this installation: start every kind of server and have it answer",
}
"""The name of each command, which is that of its module, and one line about it."""


class Command(Protocol):
    """What the module of a command provides."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments of the command."""

    def run(self, args: argparse.Namespace) -> int:
        """Run the command. Returns the exit code. Raises PostError, which ``main`` prints."""


def module_of(name: str) -> Command:
    """Import the module of the command ``name``."""
    return cast(Command, import_module(f"app.commands.{name}"))


def command_parser(*names: str) -> arguments.Parser:
    """The parser of every command. Only the commands in ``names`` have their arguments, and set ``run``."""
    parser = arguments.Parser(
        "listening-post",
        description="One window with every server a desk needs.",
        epilog="listening-post [WORKSPACE] [--capture FILE] [--start] opens the window. "
        "--debug shows the traceback of an error.",
    )
    parser.add_argument("--version", action="version", version=f"Listening Post {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=arguments.CommandParser)
    for name, help in COMMANDS.items():
        command = commands.add_parser(name, help=help)
        if name in names:
            module = module_of(name)
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


def window_parser() -> arguments.Parser:
    """The parser of a command line that names no command, and so opens the window."""
    parser = arguments.Parser("listening-post", description="Open the window.")
    parser.add_argument(
        "workspace",
        nargs="?",
        type=Path,
        help="a workspace, or a capture to open beside it; by default the last workspace, or the demo",
    )
    parser.add_argument("--capture", type=Path, metavar="FILE", help="capture into this file")
    parser.add_argument("--start", action="store_true", help="start every service")
    parser.add_argument("--separate", action="store_true", help="open a second window beside one that is open")
    return parser
