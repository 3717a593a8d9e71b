"""``listening-post control``: steers a workspace that another process serves, through its socket."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.commands import arguments
from app.commands.exit_codes import DONE, FAILED, WRONG_USAGE
from app.commands.printing import output
from app.text.escapes import json_line, one_line

if TYPE_CHECKING:
    from app.capture.reading.stored import Stored
    from app.events import Event
    from app.outposts import protocol as p
    from app.outposts.client import Client


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be asked for.

    Attributes:
        takes: the words that follow it, for the help.
        least, most: how many of them.
        ask: does it. Returns the exit code.
    """

    takes: str
    help: str
    ask: Callable[[Client, argparse.Namespace], int]
    least: int = 0
    most: int = 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    width = max(len(f"{name} {action.takes}") for name, action in ACTIONS.items())
    listed = "\n".join(f"  {f'{name} {action.takes}':{width}}  {action.help}" for name, action in ACTIONS.items())
    parser.epilog = f"actions:\n{listed}"
    parser.add_argument("path", type=Path, metavar="PATH", help="the socket that serve --control has made")
    parser.add_argument("action", choices=ACTIONS, metavar="ACTION", help="what to do, see below")
    parser.add_argument("words", nargs="*", metavar="WORD", help="the service, fault, watch or file that it is about")
    parser.add_argument("--json", action="store_true", help="print JSON, one object a line")
    parser.add_argument("--hex", action="store_true", help="send: DATA is hex digits")
    parser.add_argument("--abort", action="store_true", help="disconnect: at once, with a reset")
    parser.add_argument("--stopped", action="store_true", help="put: do not start what is added")
    parser.add_argument("--keep", action="store_true", help="put: keep the values there that configuration leaves out")
    parser.add_argument(
        "--after", type=arguments.count, metavar="ID", default=0, help="events: only those after this one"
    )
    parser.add_argument("--follow", action="store_true", help="events: also print new ones as they come")


def run(args: argparse.Namespace) -> int:
    from app.outposts.client import Client
    from app.text.errors import EscapeError

    action = ACTIONS[args.action]
    if not action.least <= len(args.words) <= action.most:
        takes = f"takes {action.takes}" if action.takes else "takes nothing"
        print(f"listening-post: {args.action} {takes}. See listening-post control --help", file=sys.stderr)
        return WRONG_USAGE
    with Client(args.path, f"{_user()} (process {os.getpid()})") as client:
        try:
            return action.ask(client, args)
        except EscapeError as e:
            print(one_line(f"listening-post: {e}"), file=sys.stderr)
            return WRONG_USAGE


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without an entry
        return f"user {os.getuid()}"


# -- actions


def _status(client: Client, args: argparse.Namespace) -> int:
    from app.outposts import protocol as p

    _print_services(client.ask(p.Status()), args)
    return DONE


def _start(client: Client, args: argparse.Namespace) -> int:
    from app.outposts import protocol as p

    started: p.Services = client.ask(p.Start(tuple(args.words)))
    _print_services(started, args)
    return DONE if all(service.status == "listening" for service in started.services) else FAILED


def _stop(client: Client, args: argparse.Namespace) -> int:
    from app.outposts import protocol as p

    _print_services(client.ask(p.Stop(tuple(args.words))), args)
    return DONE


def _fault(client: Client, args: argparse.Namespace) -> int:
    from app.outposts import protocol as p

    name, to = args.words
    if to not in ("on", "off", "once"):
        print("listening-post: fault takes NAME on, off or once. See listening-post control --help", file=sys.stderr)
        return WRONG_USAGE
    return _done(client.ask(p.SwitchFault(name, to)), args)


def _connections(client: Client, args: argparse.Namespace) -> int:
    from app.outposts import protocol as p

    found: p.OpenConnections = client.ask(p.Connections(*args.words))
    for c in found.connections:
        if args.json:
            print(json_line(_plain(c)))
        else:
            print(
                one_line(f"{c.number:>7} {c.service:<16} {c.peer:<21} received {c.received:,}, sent {c.sent:,} bytes")
            )
    if found.more:
        output.warn(f"and {found.more:,} more")
    return DONE


def _send(client: Client, args: argparse.Namespace) -> int:
    from app.outposts import protocol as p
    from app.text.escapes import unescape, unhex

    number, text = args.words
    data = unhex(text) if args.hex else unescape(text)
    connection = _number(number)
    if connection is None or not data:
        print("listening-post: send takes the NUMBER of a connection and DATA. See connections", file=sys.stderr)
        return WRONG_USAGE
    return _done(client.ask(p.Send(connection, data)), args)


def _disconnect(client: Client, args: argparse.Namespace) -> int:
    from app.outposts import protocol as p

    connection = _number(args.words[0])
    if connection is None:
        print("listening-post: disconnect takes the NUMBER of a connection. See connections", file=sys.stderr)
        return WRONG_USAGE
    return _done(client.ask(p.Disconnect(connection, args.abort)), args)


def _configuration(client: Client, args: argparse.Namespace) -> int:
    from app.outposts import protocol as p

    table: p.Table = client.ask(p.Configuration(args.words[0]))
    if args.json:
        print(json_line(_plain(table)))
        return DONE
    print("".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in table.toml).rstrip("\n"))
    if table.secret:
        output.warn(f"left out: {', '.join(table.secret)}. put --keep does not change it")
    return DONE


def _escaped(character: str) -> str:
    """A character as TOML has it in a text."""
    code = ord(character)
    return f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"


def _put(client: Client, args: argparse.Namespace) -> int:
    from app.outposts import protocol as p
    from app.workspace.reading import text_of

    put: p.Services = client.ask(p.Put(text_of(args.words[0]), not args.stopped, args.keep))
    _print_services(put, args)
    return DONE if all(service.status not in ("failed", "waiting", "held") for service in put.services) else FAILED


def _remove(client: Client, args: argparse.Namespace) -> int:
    from app.outposts import protocol as p

    return _done(client.ask(p.Remove(args.words[0])), args)


def _events(client: Client, args: argparse.Namespace) -> int:
    for stored in client.events(args.after, follow=args.follow):
        event = _event(stored)
        print(json_line(event.as_json()) if args.json else output.line(event), flush=args.follow)
    return DONE


ACTIONS = {
    "status": Action("", "list the services: what they do, their connections, their faults", _status),
    "start": Action("[NAME …]", "start services; without a name, all", _start, 0, 1000),
    "stop": Action("[NAME …]", "stop services; without a name, all", _stop, 0, 1000),
    "fault": Action("NAME on|off|once", "switch a fault, or have it hit the next message alone", _fault, 2, 2),
    "connections": Action("[NAME]", "list the open connections, of one service or of all", _connections, 0, 1),
    "send": Action("NUMBER DATA", "send over an open connection", _send, 2, 2),
    "disconnect": Action("NUMBER", "close a connection", _disconnect, 1, 1),
    "configuration": Action("NAME", "print the table of a service, without its secrets", _configuration, 1, 1),
    "put": Action("FILE", "add or change services: tables [[service]] in a file", _put, 1, 1),
    "remove": Action("NAME", "stop a service and remove it", _remove, 1, 1),
    "events": Action("", "print the events of the capture", _events),
}
"""What can be asked for, by its name."""


# -- words


def _done(done: p.Done, args: argparse.Namespace) -> int:
    print(json_line({"done": done.words}) if args.json else one_line(done.words))
    return DONE


def _print_services(services: p.Services, args: argparse.Namespace) -> None:
    if services.more:
        output.warn(f"and {services.more:,} more")
    for service in services.services:
        if args.json:
            print(json_line(_plain(service)))
            continue
        faults = ", ".join(
            f"{f.name} {'on' if f.enabled else 'off'}, {f.hits:,} {'hit' if f.hits == 1 else 'hits'}"
            for f in service.faults
        )
        print(
            one_line(
                f"{service.name:<16} {service.protocol:<9} {service.status:<9} {service.words}"
                f"{f', {service.connections:,} connected' if service.connections else ''}"
                f"{f'; faults: {faults}' if faults else ''}"
            )
        )


def _plain(value: Any) -> dict[str, Any]:
    import msgspec

    found: dict[str, Any] = msgspec.to_builtins(value)
    return found


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 18 else None


def _event(stored: Stored) -> Event:
    """An event as a capture that is read here gives it."""
    from app.capture.reading.store import event_of

    return event_of(
        stored.id, stored.time, stored.kind, stored.service, stored.conn, stored.peer, stored.size, stored.summary,
        None, None, stored.host, stored.payload, stored.detail,
    )  # fmt: skip
