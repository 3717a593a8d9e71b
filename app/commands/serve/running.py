"""A run of ``listening-post serve``: starts every service, prints the events, stops at a signal or after a time."""

from __future__ import annotations

import sys
from typing import Any

from app.alerts.told import Told
from app.capture.recorder import Trouble
from app.commands import errors
from app.commands.printing import output
from app.commands.printing.printer import Printer, report_lost_output
from app.commands.running import Run
from app.commands.serve.order import Order
from app.commands.serve.remote import Remote
from app.metrics.serving import MetricsServer
from app.plugin_loader.live import Plugins
from app.post import Post
from app.programs.hosted import HostedProgram
from app.services.service import Service
from app.status import Failed, Held, Listening, Status, Stopped, Waiting
from app.text.escapes import one_line
from app.workspace.reading import Workspace

PRINT_AT_SIGNAL, PRINT_AT_END = 1.2, 10.0
"""Seconds that the printer has at the end for events that are not printed yet: after a signal, and
after the time of ``--for``, when a script expects every event."""


class _Run(Run):
    """One run."""

    def __init__(self, reactor: Any, workspace: Workspace, order: Order) -> None:
        super().__init__(reactor)
        self._order = order
        self._printer: Printer | None = None
        self._seconds_to_print = PRINT_AT_SIGNAL
        self._warned: list[str] = []
        self.post = Post(reactor, workspace, seed=order.seed)
        self.post.loop.prepare()
        self._remote = Remote(reactor, self.post, order)
        self._server = MetricsServer(reactor, self.post)
        self.post.recorder.trouble_changed.connect(_report_trouble)
        self.post.alerts.means.show = _show_alert
        if sys.stderr.isatty():
            self.post.alerts.means.beep = lambda: print("\a", end="", file=sys.stderr, flush=True)

    async def start(self) -> None:
        post, order = self.post, self._order
        await post.open(order.capture, order.limit, order.keeping)
        if post.capturing.refused:
            self._end_with_failure()
            return
        if order.metrics and not await self._serve_metrics(order.metrics):
            self._end_with_failure()
            return
        self._remote.open()
        first = post.recorder.range.last + 1
        await post.start_all()
        self._say_what_runs()
        if order.quiet:
            _print_statuses(post)
            post.plugins.changed.connect(self._warn_of_plugins)
            self._warn_of_plugins(post.plugins)
        else:
            self._print_events(first)
        post.loop.open(output.warn)
        if not self._has_work():
            some = post.services or post.programs.all
            self._give_up("none of the services could start" if some else "the workspace has no services")
            return
        post.status_changed.connect(self._on_status)
        if order.until_ended:
            post.programs.status_changed.connect(self._on_program)
            for program in post.programs:
                self._on_program(program)
        if order.seconds is not None:
            self._reactor.callLater(order.seconds, self._on_time)

    async def _serve_metrics(self, address: str) -> bool:
        await self._server.use(address)
        if self._server.problem:
            output.warn(self._server.problem)
            return False
        print(f"metrics at http://{self._server.address}/metrics", file=sys.stderr)
        return True

    def _say_what_runs(self) -> None:
        """Say where events go, and what does not run, and why."""
        post = self.post
        _say(f"capturing into {post.capture}")
        if any(service.faults and not service.config.seed for service in post.services.values()):
            _say(f"faults have the seed {self._order.seed}: repeat them with --seed {self._order.seed}")
        for service in post.services.values():
            if isinstance(service.status, Held):
                output.warn(f"{service.config.name}: {service.status.reason}")
        for program in post.programs:
            if isinstance(program.status, Held | Failed):
                output.warn(f"{program.config.name}: {program.status.reason}")
        for name, why in self._remote.held.items():
            output.warn(f"the outpost {name} is not read: {why}")
        for watch in post.watches.values():
            if watch.held:
                output.warn(f"the watch {watch.config.name} does not run: {watch.held}")
        for plugin in post.plugins.waiting:
            names = ", ".join(responder.name for responder in plugin.brings)
            output.warn(f"{names}: {plugin.problem}")

    def _warn_of_plugins(self, plugins: Plugins) -> None:
        """Say why plugins were not loaded, each reason once: otherwise that is among the events."""
        words = plugins.words.splitlines()
        for line in words:
            if line not in self._warned:
                output.warn(line)
        self._warned = words

    def _print_events(self, first: int) -> None:
        """Print the events from the id ``first`` on, as they are stored."""
        post = self.post
        assert post.capture is not None
        self._printer = Printer(post.capture, first, as_json=self._order.as_json)
        post.recorder.stored_changed.connect(self._printer.on_stored)
        post.recorder.flush()
        self._printer.on_stored(post.recorder.range)

    def _has_work(self) -> bool:
        post = self.post
        if self._remote.reads:
            return True
        watches = (watch for watch in post.watches.values() if watch.config.url)
        running = any(one.running for one in (*post.services.values(), *post.programs))
        return running or any(not watch.held for watch in watches)

    def _on_status(self, service: Service) -> None:
        ended = isinstance(service.status, Failed) and service.config.restart is not None
        if ended and not self._order.is_steered and not self._has_work():
            self._give_up(f"{service.config.name} could not start, and nothing else runs")

    def _on_program(self, program: HostedProgram) -> None:
        if isinstance(program.status, Stopped | Failed) and not self._has_work():
            self.exit_code = int(isinstance(program.status, Failed))
            self.stop()

    def _give_up(self, why: str) -> None:
        output.warn(why)
        self._end_with_failure()

    def _end_with_failure(self) -> None:
        self.exit_code = 1
        self.stop()

    def _on_time(self) -> None:
        self._seconds_to_print = PRINT_AT_END
        self.stop()

    async def shut_down(self) -> None:
        await self._server.use("")
        await self._remote.close()
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


def _say(words: str) -> None:
    print(one_line(words), file=sys.stderr)


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


def run(reactor: Any, workspace: Workspace, order: Order) -> int:
    """Run every service of ``workspace`` until a signal comes or ``order.seconds`` have passed.

    Prints its first line when each service listens or has failed. Returns the exit code:
    1 when none could start.
    """
    return _Run(reactor, workspace, order).run_reactor()
