"""The rows of hosted programs: one of the program itself, and one of each of its ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from app.programs.hosted import HostedProgram
from app.programs.shown import HostedPort
from app.services.protocols import PROTOCOLS
from app.status import Failed, Listening, Running, Starting, Stopped, Stopping, Waiting
from app.text.escapes import amount
from ui.bridge import Traffic
from ui.services.rows import STATES, ServiceRow, reason_of, translate, word_of


def rows_of(program: HostedProgram, traffic: Callable[[HostedProgram | HostedPort], Traffic]) -> Iterator[ServiceRow]:
    """The program, and its ports in the order in which it opened them."""
    yield _of_program(program, traffic(program))
    for port in program.ports.values():
        yield _of_port(port, traffic(port))


def _of_program(program: HostedProgram, traffic: Traffic) -> ServiceRow:
    config, status = program.config, program.status
    running = isinstance(status, Running)
    in_trouble = isinstance(status, Running) and (bool(status.blocked) or status.unseen)
    return ServiceRow(
        name=config.name,
        group=config.name,
        port="",
        address=config.words,
        state="failed" if in_trouble else STATES[type(status)],
        word=_word(program),
        reason=_reason(program),
        bad=isinstance(status, Failed) or in_trouble,
        badge=translate("Services", "PROGRAM"),
        protocol=translate("Services", "a Twisted program in a process of its own"),
        locked=False,
        exposed=False,
        connections=sum(len(port.connections) for port in program.ports.values()) if running else None,
        peers=False,
        rate=f"{amount(traffic.rate)}/s",
        spark=tuple(traffic.spark) if any(traffic.spark) else (),
        faults=(),
        refused="",
        waits=isinstance(status, Waiting),
        up=isinstance(status, Starting | Running | Waiting),
        ready=not isinstance(status, Stopping),
        program=config.name,
        pid=program.pid,
    )


def _of_port(port: HostedPort, traffic: Traffic) -> ServiceRow:
    config, status = port.config, port.status
    label = config.name.partition("/")[2]
    up = isinstance(status, Listening)
    return ServiceRow(
        name=config.name,
        group=config.group,
        port="" if port.outgoing else f":{config.port}",
        address=translate("Services", "as a client") if port.outgoing and up else port.host,
        state=STATES[type(status)],
        word=_port_word(port),
        reason=status.reason if isinstance(status, Failed) else "",
        bad=isinstance(status, Failed),
        badge=translate("Services", "OUT") if port.outgoing and up else PROTOCOLS[config.protocol].label,
        protocol=PROTOCOLS[config.protocol].title,
        locked=False,
        exposed=not port.outgoing and config.exposed,
        connections=len(port.connections) if up else None,
        peers=config.protocol == "udp",
        rate=f"{amount(traffic.rate)}/s",
        spark=tuple(traffic.spark) if any(traffic.spark) else (),
        faults=tuple(fault.name for fault in port.faults.all if fault.enabled or fault.once),
        refused="",
        waits=False,
        up=up,
        ready=up and not port.outgoing,
        label=label,
        program=config.group,
    )


def _word(program: HostedProgram) -> str:
    status = program.status
    if isinstance(status, Running):
        if status.unseen:
            return translate("Services", "unseen")
        return translate("Services", "blocked") if status.blocked else translate("Services", "running")
    if isinstance(status, Stopped) and program.said:
        return translate("Services", "ended")
    return word_of(status, program.seconds_left)


def _reason(program: HostedProgram) -> str:
    status = program.status
    if isinstance(status, Running) and status.blocked:
        return translate("Services", "The reactor of the program is blocked. {where}").format(where=status.blocked)
    if isinstance(status, Running) and status.unseen:
        return translate("Services", "The program goes on, but nothing more is seen of it until it is started again.")
    return reason_of(status, program.seconds_left)


def _port_word(port: HostedPort) -> str:
    if isinstance(port.status, Listening):
        return translate("Services", "listening")
    return translate("Services", "failed") if isinstance(port.status, Failed) else translate("Services", "closed")
