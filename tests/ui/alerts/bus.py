"""A session bus of its own, with a small service that takes notifications."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jeepney import HeaderFields, new_error, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection

from tests.helpers import short_folder
from ui.alerts.desktop import SERVICE


class Notified:
    """What was shown.

    Attributes:
        notes: the arguments of each call of Notify.
        refuse: the error that it answers with; empty: it shows.
    """

    def __init__(self) -> None:
        self.notes: list[tuple[Any, ...]] = []
        self.refuse = ""


@contextmanager
def bus() -> Iterator[str]:
    """A bus; its address."""
    with short_folder() as folder:
        address = f"unix:path={folder}/bus"
        command = ["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={address}", "--print-address"]
        daemon = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert daemon.stdout is not None
            yield daemon.stdout.readline().strip()  # once it listens
        finally:
            daemon.terminate()
            daemon.wait(30)
            daemon.stdout.close()  # type: ignore[union-attr]


@contextmanager
def notifications(address: str) -> Iterator[Notified]:
    """A desktop on the bus at ``address``."""
    found, connection = Notified(), open_dbus_connection(bus=address)
    connection.send_and_get_reply(message_bus.RequestName(SERVICE))
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                message = connection.receive(timeout=0.1)
            except TimeoutError:
                continue
            except (OSError, EOFError):
                return
            if message.header.fields.get(HeaderFields.member) != "Notify":
                continue
            found.notes.append(message.body)
            if found.refuse:
                connection.send(new_error(message, "org.example.Error", "s", (found.refuse,)))
            else:
                connection.send(new_method_return(message, "u", (message.body[1] or len(found.notes),)))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join(30)
        connection.close()
