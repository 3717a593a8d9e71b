"""A console without a window: ``python -m tests.fleet.console CAPTURE URL CA KEY NAME[:PUBLIC] …`` reads outposts.

Those with a public key are asked sealed.

Prints a line each half second: seconds, how many are connected, events read, events that are behind. Ends at SIGTERM.
"""

from __future__ import annotations

import sys
from pathlib import Path

from app.commands.running import Run, choose_reactor


def main() -> None:
    reactor = choose_reactor()
    from app.outposts.console import Console
    from app.outposts.ways import keys, login
    from app.outposts.ways.carrier import Connected
    from app.outposts.ways.router_carrier import RouterCarrier
    from app.outposts.ways.router_console import RouterConsole
    from app.post import Post
    from app.workspace.reading import Workspace

    capture, url, ca, own, *names = sys.argv[1:]

    class Reading(Run):
        async def start(self) -> None:
            self.post = Post(reactor, Workspace(()))
            await self.post.open(Path(capture), 20 << 30)
            self.router = RouterConsole(
                reactor, url, "desk", lambda: login.checked(url, "post.lab", "desk", keys.read(Path(own)), Path(ca)),
                lambda e: print(repr(e), file=sys.stderr),
            )  # fmt: skip
            self.console = Console(reactor, self.post, "desk")
            for name, _, public in (word.partition(":") for word in names):
                key = keys.read_public(Path(public)) if public else None
                self.console.add(name, RouterCarrier(self.router, name, key))
            self.console.open()
            self.tell()

        def tell(self) -> None:
            outposts = self.console.outposts.values()
            connected = sum(isinstance(outpost.carrier.way, Connected) for outpost in outposts)
            behind = sum(outpost.behind for outpost in outposts)
            problems = sorted({outpost.problem for outpost in outposts if outpost.problem})
            print(f"{reactor.seconds():.2f} {connected} {self.post.recorder.stored} {behind}", *problems, flush=True)
            reactor.callLater(0.5, self.tell)

        async def shut_down(self) -> None:
            await self.console.close()
            await self.post.shut_down()

    sys.exit(Reading(reactor).run_reactor())


if __name__ == "__main__":
    main()
