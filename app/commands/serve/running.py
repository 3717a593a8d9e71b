"""A run of ``listening-post serve``: starts every service, prints the events, stops at a signal or after a time."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING, Any

from app.alerts.told import Told
from app.capture.keeping.retention import Keeping
from app.capture.link import DEFAULT_LIMIT
from app.capture.recorder import Trouble
from app.commands import errors
from app.commands.printing import output
from app.commands.printing.printer import Printer, report_lost_output
from app.commands.running import Run
from app.metrics.serving import MetricsServer
from app.post import Post
from app.programs.hosted import HostedProgram
from app.services.service import Service
from app.status import Failed, Held, Listening, Status, Stopped, Waiting
from app.text.escapes import one_line
from app.workspace.reading import Workspace

if TYPE_CHECKING:
    from app.outposts.console import Console
    from app.outposts.joining import Joining
    from app.outposts.keys import PublicKey
    from app.outposts.login import Login
    from app.outposts.outpost import Outpost
    from app.outposts.protocol import Allow
    from app.outposts.socket import ControlSocket

PRINT_AT_SIGNAL, PRINT_AT_END = 1.2, 10.0
"""Seconds that the printer has at the end for events that are not printed yet: after a signal, and
after the time of ``--for``, when a script expects every event."""


class _Run(Run):
    """One run.

    Args:
        seconds: after which the run ends; None: only a signal ends it.
        seed: of the faults of services that have none of their own.
        metrics: the address at which metrics are served; "": nowhere.
    """

    def __init__(
        self,
        reactor: Any,
        workspace: Workspace,
        capture: Path | None,
        seconds: float | None,
        *,
        seed: int,
        as_json: bool,
        quiet: bool,
        limit: int,
        keeping: Keeping,
        metrics: str,
        control: Path | None,
        allow: Allow,
        until_ended: bool,
        join: Login | None,
        seal: Mapping[str, PublicKey],
    ) -> None:
        super().__init__(reactor)
        self._control, self._join, self._seal, self._allow = control, join, seal, allow
        self._until_ended = until_ended
        self._outposts: list[Outpost] = []
        self._socket: ControlSocket | None = None
        self._joining: Joining | None = None
        self._console: Console | None = None
        self._capture, self._seconds, self._limit, self._keeping = capture, seconds, limit, keeping
        self._as_json, self._quiet = as_json, quiet
        self._printer: Printer | None = None
        self._seconds_to_print = PRINT_AT_SIGNAL
        self._seed = seed
        self._metrics = metrics
        self.post = Post(reactor, workspace, seed=seed)
        self.post.loop.prepare()
        self._server = MetricsServer(reactor, self.post)
        self.post.recorder.trouble_changed.connect(_report_trouble)
        self.post.alerts.means.show = _show_alert
        if sys.stderr.isatty():
            self.post.alerts.means.beep = lambda: print("\a", end="", file=sys.stderr, flush=True)

    async def start(self) -> None:
        post = self.post
        await post.open(self._capture, self._limit, self._keeping)
        if post.refused:
            self.exit_code = 1
            self.stop()
            return
        if self._metrics:
            await self._server.use(self._metrics)
            if self._server.problem:
                self.exit_code = 1
                output.warn(self._server.problem)
                self.stop()
                return
            print(f"metrics at http://{self._server.address}/metrics", file=sys.stderr)
        if self._control is not None:
            self._listen_for_control(self._control)
        if self._join is not None:
            self._join_router(self._join)
        if post.outposts:
            self._read_outposts()
        first = post.recorder.range.last + 1
        await post.start_all()
        assert post.capture is not None
        print(one_line(f"capturing into {post.capture}"), file=sys.stderr)
        if any(service.faults and not service.config.seed for service in post.services.values()):
            print(f"faults have the seed {self._seed}: repeat them with --seed {self._seed}", file=sys.stderr)
        for service in post.services.values():
            if isinstance(service.status, Held):
                print(one_line(f"listening-post: {service.config.name}: {service.status.reason}"), file=sys.stderr)
        for program in post.programs:
            if isinstance(program.status, Held | Failed):
                print(one_line(f"listening-post: {program.config.name}: {program.status.reason}"), file=sys.stderr)
        for name, why in self._console.held.items() if self._console else ():
            print(one_line(f"listening-post: the outpost {name} is not read: {why}"), file=sys.stderr)
        for watch in post.watches.values():
            if watch.held:
                print(
                    one_line(f"listening-post: the watch {watch.config.name} does not run: {watch.held}"),
                    file=sys.stderr,
                )
        for plugin in post.plugins.waiting:
            names = ", ".join(responder.name for responder in plugin.brings)
            output.warn(f"{names}: {plugin.problem}")
        if self._quiet:
            _print_statuses(post)
        else:
            self._printer = Printer(post.capture, first, as_json=self._as_json)
            post.recorder.stored_changed.connect(self._printer.on_stored)
            post.recorder.flush()
            self._printer.on_stored(post.recorder.range)
        post.loop.open(output.warn)
        if not self._has_work():
            some = post.services or post.programs.all
            self._give_up("none of the services could start" if some else "the workspace has no services")
            return
        post.status_changed.connect(self._on_status)
        if self._until_ended:
            post.programs.status_changed.connect(self._on_program)
            for program in post.programs:
                self._on_program(program)
        if self._seconds is not None:
            self._reactor.callLater(self._seconds, self._on_time)

    def _has_work(self) -> bool:
        post = self.post
        if self._console is not None and self._console.outposts:
            return True
        watches = (watch for watch in post.watches.values() if watch.config.url)
        running = any(one.running for one in (*post.services.values(), *post.programs))
        return running or any(not watch.held for watch in watches)

    def _on_status(self, service: Service) -> None:
        ended = isinstance(service.status, Failed) and service.config.restart is not None
        if ended and self._control is None and self._join is None and not self._has_work():
            self._give_up(f"{service.config.name} could not start, and nothing else runs")

    def _on_program(self, program: HostedProgram) -> None:
        if isinstance(program.status, Stopped | Failed) and not self._has_work():
            self.exit_code = int(isinstance(program.status, Failed))
            self.stop()

    def _give_up(self, why: str) -> None:
        self.exit_code = 1
        print(one_line(f"listening-post: {why}"), file=sys.stderr)
        self.stop()

    def _listen_for_control(self, path: Path) -> None:
        """Raises SocketTakenError."""
        from app.outposts.outpost import Outpost
        from app.outposts.socket import ControlSocket

        outpost = Outpost(self._reactor, self.post, gethostname(), self._allow)
        self._outposts.append(outpost)
        self._socket = ControlSocket(self._reactor, path, outpost)

    def _join_router(self, login: Login) -> None:
        from app.outposts.joining import Joining
        from app.outposts.outpost import Outpost
        from app.outposts.sealing import SealedAnswers

        outpost = Outpost(self._reactor, self.post, login.name, self._allow)
        self._outposts.append(outpost)
        sealed = SealedAnswers(login.name, login.key, self._seal) if self._seal else None

        def told(line: str) -> None:
            print(one_line(line), file=sys.stderr)

        self._joining = Joining(self._reactor, outpost, login, told, sealed=sealed)
        self._joining.open()

    def _read_outposts(self) -> None:
        from app.outposts.console import Console

        self._console = Console(self._reactor, self.post, gethostname())
        self._console.follow_workspace()
        self._console.open()

    def _on_time(self) -> None:
        self._seconds_to_print = PRINT_AT_END
        self.stop()

    async def shut_down(self) -> None:
        await self._server.use("")
        if self._console is not None:
            await self._console.close()
        if self._socket is not None:
            await self._socket.close()
        if self._joining is not None:
            await self._joining.close()
        for outpost in self._outposts:
            outpost.close()
        await self.post.shut_down()
        if self._printer is not None:
            self._printer.finish(self._seconds_to_print)
        recorder = self.post.recorder
        if recorder.lost:
            print(
                f"listening-post: seen {recorder.seen:,}, stored {recorder.stored:,}, lost {recorder.lost:,}",
                file=sys.stderr,
            )


async def _show_alert(told: Told) -> str:
    print(one_line(f"listening-post: alert {told.title}. {told.text}"), file=sys.stderr)
    return "printed to standard error"


def _print_statuses(post: Post) -> None:
    try:
        for service in post.services.values():
            print(one_line(f"{service.config.name}: {_described(service.status)}"), flush=True)
    except (BrokenPipeError, errors.OutputError) as e:
        report_lost_output(e)


def _described(status: Status) -> str:
    if isinstance(status, Listening):
        return f"listening on {status.host}{', which a fault keeps shut' if status.shut else ''}"
    if isinstance(status, Waiting):
        return f"{status.reason} It is tried again in {status.seconds:g} s."
    return status.reason if isinstance(status, Failed | Held) else type(status).__name__.lower()


def _report_trouble(trouble: Trouble | None) -> None:
    print(f"listening-post: {one_line(trouble.text) if trouble else 'the capture goes on'}", file=sys.stderr)


def run(
    reactor: Any,
    workspace: Workspace,
    capture: Path | None,
    seconds: float | None,
    *,
    seed: int,
    as_json: bool,
    quiet: bool = False,
    limit: int = DEFAULT_LIMIT,
    keeping: Keeping = Keeping(),  # noqa: B008 - frozen
    metrics: str = "",
    control: Path | None = None,
    allow: Allow = "read",
    until_ended: bool = False,
    join: Login | None = None,
    seal: Mapping[str, PublicKey] = {},
) -> int:
    """Run every service of ``workspace`` until a signal comes or ``seconds`` have passed.

    With ``quiet`` no events are printed, only which services listen, or why not. ``limit`` is the
    largest size of the capture in bytes; ``keeping`` says which older captures stay. ``seed`` is that of
    the faults of services that have none of their own. ``metrics`` is the address at which they are served. Through
    the socket ``control``, another process reads and steers it, and consoles do through the router ``join``, as far as
    ``allow`` says; sealed, for the consoles ``seal`` alone, if there are any.
    With ``until_ended`` it ends with the last of its programs, too.
    Prints its first line when each service listens or has failed. Returns the exit code:
    1 when none could start.
    """
    serving = _Run(
        reactor, workspace, capture, seconds, seed=seed, as_json=as_json, quiet=quiet, limit=limit, keeping=keeping,
        metrics=metrics,
        control=control, allow=allow, until_ended=until_ended, join=join, seal=seal,
    )  # fmt: skip
    return serving.run_reactor()
