"""A console that reads one outpost, timed. Arguments: target, command (empty for a socket), capture, the ids to read,
and the messages that are sent afterwards. Prints JSON: events a second, and seconds from wire to capture."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from pathlib import Path
from time import perf_counter, time_ns
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from app.commands.running import choose_reactor


async def _measure(reactor: Any, target: str, command: str, capture: Path, last: int, messages: int) -> dict[str, Any]:
    from app import events
    from app.outposts.console import Console
    from app.outposts.process import ProcessEndpoint
    from app.outposts.stream import StreamCarrier
    from app.outposts.ways import carrier_to
    from app.post import Post
    from app.workspace.outposts import OutpostConfig

    post = Post(reactor)
    await post.open(capture)
    console = Console(reactor, post, "bench")
    console.open()
    if target == "pipe":
        words = [shutil.which("sh") or "sh", "-c", command]
        carrier: Any = StreamCarrier(reactor, target, ProcessEndpoint(reactor, words, lambda code, said: said))
    else:
        carrier = carrier_to(reactor, OutpostConfig("far", target, command or "-"), Path("/"))
    outpost = console.add("far", carrier)

    async def until_read(id: int) -> None:
        while not any(read.last >= id for read in outpost.progress()) or not post.recorder.idle:
            await deferLater(reactor, 0.002)

    while outpost.outpost is None:  # what it takes to start is not what is measured
        await deferLater(reactor, 0.001)
    began = perf_counter()
    await until_read(last)
    seconds = perf_counter() - began
    delays: list[float] = []
    newest = 0

    def on_stored(stored: Any) -> None:
        nonlocal newest
        now = time_ns()
        sql = "SELECT id, time FROM stored WHERE id > ? AND kind = ?"
        with sqlite3.connect(capture) as db:
            for id, when in db.execute(sql, (newest, events.DATA_RECEIVED)):
                newest = max(newest, id)
                delays.append((now - when) / 1e9)

    with sqlite3.connect(capture) as db:
        newest = db.execute("SELECT max(id) FROM stored").fetchone()[0]
    post.recorder.stored_changed.connect(on_stored)
    print("ready", flush=True)
    while len(delays) < messages:
        await deferLater(reactor, 0.01)
    await console.close()
    await post.shut_down()
    return {"rate": last / seconds, "delays": delays}


def main(target: str, command: str, capture: str, last: str, messages: str) -> None:
    reactor = choose_reactor()
    done: list[Any] = []
    asked = Deferred.fromCoroutine(_measure(reactor, target, command, Path(capture), int(last), int(messages)))
    asked.addBoth(done.append)
    asked.addBoth(lambda _: reactor.stop())
    reactor.run()
    if not isinstance(done[0], dict):
        done[0].printTraceback()
        sys.exit(1)
    print(json.dumps(done[0]))


if __name__ == "__main__":
    main(*sys.argv[1:])
