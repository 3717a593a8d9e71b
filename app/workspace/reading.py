"""Reads a workspace: the TOML file of services, messages and alerts. Finds every problem in it, with its line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

from app import faults, options, responders
from app.alerts.alert import ALERT, MAX_ALERTS, Alert, unknown_services
from app.alerts.mail import MAIL, Mail, mail_problem
from app.faults import tables as fault_tables
from app.plugin_loader.table import TABLE, installed
from app.programs import config as program_config
from app.programs.config import MAX_PROGRAMS, ProgramConfig
from app.services import address, settings
from app.services.config import ServiceConfig
from app.services.errors import InvalidAddressError
from app.services.protocols import PROTOCOLS, options_of
from app.services.settings import OPTIONAL, SECTIONS
from app.text import variables
from app.text.escapes import amount
from app.trust.asks import digest_of
from app.watch import config as watch
from app.watch.config import WatchConfig
from app.workspace import errors, readiness, toml_lines
from app.workspace.message import Message
from app.workspace.message import mistakes as message_mistakes
from app.workspace.outposts import MAX_OUTPOSTS, OUTPOST, OWN, Allow, OutpostConfig, made_of

VERSION = 1

MAX_SIZE = 4_000_000
"""Most bytes of a workspace file."""

MAX_NAME = 60
"""Most characters of the name of a service or a group."""

_ITEM = re.compile(r"number (\d+): (\w*)")
"""The start of the text of a problem with an item of a list: its number, and its key if it is a table."""

KEYS = ("version", "variables", "service", "program", "message", "watch", "alert", "mail", "outpost")
"""What a workspace file has at its top."""

_KEYS = ("name", "protocol", "listen", "responder", "autostart", "group", "seed", "options", "fault", *SECTIONS)


@dataclass(frozen=True, slots=True)
class Workspace:
    """All services, watches, saved messages, variables and alerts, in the order of the file.

    Attributes:
        variables: texts by their names, which ``{{name}}`` stands for in what is sent.
        mail: through which server alerts send mail; None: through none.
        outposts: the outposts that are read and steered.
        allow: what others may do who read and steer this workspace as an outpost; empty: it does not say.
        path: of the file; None until it was saved.
        template: the folder of the file that it was read from, where it must not be saved to that file.
        digest: of the file's content; empty if it has none.
    """

    services: tuple[ServiceConfig, ...] = ()
    path: Path | None = None
    messages: tuple[Message, ...] = ()
    template: Path | None = None
    digest: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    watches: tuple[WatchConfig, ...] = ()
    alerts: tuple[Alert, ...] = ()
    mail: Mail | None = None
    programs: tuple[ProgramConfig, ...] = ()
    outposts: tuple[OutpostConfig, ...] = ()
    allow: Allow | Literal[""] = ""

    @property
    def folder(self) -> Path:
        """Where relative paths in it start."""
        return self.path.parent if self.path else self.template or Path.cwd()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a workspace: the line, the key ("" for none), and what would be right."""

    line: int
    key: str
    text: str

    def __str__(self) -> str:
        return f"{self.line}: {self.key}: {self.text}" if self.key else f"{self.line}: {self.text}"


def load(path: Path | str, *, ready: bool = False) -> Workspace:
    """Read a workspace. Raises WorkspaceUnreadableError, or WorkspaceError with every problem in it.

    With ``ready``, what would keep its services from starting is a problem, too.
    """
    source = text_of(path)
    before = TABLE.enter(Path(path).parent)
    workspace, problems = parse(source, Path(path).parent if ready else None)
    if problems:
        TABLE.enter(before)
        raise errors.WorkspaceError(problems="\n".join(f"{path}:{problem}" for problem in problems))
    return replace(workspace, path=Path(path), digest=digest_of(source.encode()))


def examined(path: Path | str) -> tuple[Workspace, list[Problem]]:
    """What is right in the file, and what is wrong with it or would keep its services from starting.

    Raises WorkspaceUnreadableError.
    """
    source = text_of(path)
    TABLE.enter(Path(path).parent)
    workspace, problems = parse(source, Path(path).parent)
    return replace(workspace, path=Path(path), digest=digest_of(source.encode())), problems


def problems_of(path: Path | str) -> list[Problem]:
    """What is wrong with the file, and what would keep its services from starting.

    Raises WorkspaceUnreadableError.
    """
    return examined(path)[1]


def text_of(path: Path | str) -> str:
    """The text of the file. Raises WorkspaceUnreadableError."""
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_SIZE + 1)
    except OSError as e:
        raise errors.WorkspaceUnreadableError(path=path, reason=e.strerror or e) from e
    if len(content) > MAX_SIZE:
        raise errors.WorkspaceUnreadableError(path=path, reason=f"it is larger than {amount(MAX_SIZE)}")
    try:
        return content.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError as e:
        line = content.count(b"\n", 0, e.start) + 1
        raise errors.WorkspaceUnreadableError(path=path, reason=f"line {line} is not text in UTF-8") from e


def parse(source: str, folder: Path | None = None) -> tuple[Workspace, list[Problem]]:
    """Returns the services and messages that are right, and the problems of the others in order of lines.

    With ``folder``, the folder of the file, what would keep a service from starting is a problem, too; the
    service itself is returned all the same, since it reports that when it starts.
    """
    try:
        data = toml_lines.loads(source)
    except toml_lines.NotTOMLError as e:
        return Workspace(), [Problem(e.line, e.key, str(e))]
    return _Reading(source, data, folder).read()


def _with_pings_among_limits(service: dict[str, Any]) -> dict[str, Any]:
    """The table of a service; earlier builds had the pings of WebSocket among its options."""
    given, limits = service.get("options"), service.get("limits", {})
    if service.get("protocol") != "websocket" or not isinstance(given, dict) or not isinstance(limits, dict):
        return service
    moved = {key: value for key, value in given.items() if key in ("ping_seconds", "ping_timeout")}
    if not moved:
        return service
    rest = {key: value for key, value in given.items() if key not in moved}
    return {**service, "options": rest, "limits": {**moved, **limits}}


class _Reading:
    """One pass over the data of a file; ``_line`` finds where a key stands in the text."""

    def __init__(self, source: str, data: dict[str, Any], folder: Path | None) -> None:
        self._source, self._data, self._folder = source, data, folder
        self._problems: list[Problem] = []

    def read(self) -> tuple[Workspace, list[Problem]]:
        version = self._data.get("version")
        if version is None:
            self._problem(None, "version", f"is missing: the first line must be version = {VERSION}")
        elif type(version) is not int or version < 1:
            self._problem(None, "version", f"must be {VERSION}")
        elif version > VERSION:
            self._problem(None, "version", f"{version} is from a newer Listening Post; this one reads {VERSION}")
        for key in self._data:
            if key not in KEYS:
                known = (
                    "version, [variables], [[service]], [[program]], [[message]], [[watch]], [[alert]], [mail],"
                    " [[outpost]] or [outpost]"
                )
                self._problem(None, key, f"is unknown. A workspace has {known}")
        services = self._tables("service")
        found = [self._service(i, table) for i, table in enumerate(services)]
        self._check_together([(i, s) for i, s in enumerate(found) if s is not None])
        saved = [self._message(i, table) for i, table in enumerate(self._tables("message"))]
        allow = self._own_outpost()
        outposts = () if allow else self._outposts()
        names_of_outposts = {outpost.name for outpost in outposts}
        watches = self._watches(watch.schemes_in(services), names_of_outposts)
        given = self._variables()
        programs = self._programs({service.name for service in found if service is not None})
        names = {one.name for one in (*found, *programs) if one is not None}
        alerts = self._alerts(names)
        mail = self._mail()
        if self._folder is not None:
            self._check_upstreams(found, names_of_outposts)
        self._problems.sort(key=lambda problem: problem.line)
        right = tuple(s for s in found if s is not None)
        messages = tuple(m for m in saved if m is not None)
        return (
            Workspace(
                right, messages=messages, variables=given, watches=watches, alerts=alerts, mail=mail, programs=programs,
                outposts=outposts, allow=allow,
            ),
            self._problems,
        )  # fmt: skip

    def _own_outpost(self) -> Allow | Literal[""]:
        """What ``[outpost]`` allows; empty where there is none: ``[[outpost]]`` are those that are read."""
        given = self._data.get("outpost")
        if not isinstance(given, dict):
            return ""
        wrong = list(options.problems(OWN, given))
        for key, text in wrong:
            self._problem(None, key, text, section="outpost")
        allow: Allow = "read" if wrong else given.get("allow", "read")
        return allow

    def _outposts(self) -> tuple[OutpostConfig, ...]:
        found: dict[str, OutpostConfig] = {}
        for i, table in enumerate(self._bounded("outpost", MAX_OUTPOSTS)):
            wrong = list(options.mistakes(OUTPOST, table))
            for mistake in wrong:
                self._mistake(i, mistake, among="outpost")
            if wrong:
                continue
            made = made_of(table)
            if made.name in found:
                self._problem(i, "name", f'"{made.name}" is taken. Give each outpost its own', among="outpost")
            found.setdefault(made.name, made)
        return tuple(found.values())

    def _check_upstreams(self, services: list[ServiceConfig | None], outposts: set[str]) -> None:
        """Report services of outposts that are named, where there is no such outpost."""
        for i, service in enumerate(services):
            for key, number, text in readiness.without_outpost(service, outposts) if service is not None else ():
                item = () if number is None else (number,)
                self._problem(i, key, text, "options", inner=item)

    def _tables(self, key: str) -> list[dict[str, Any]]:
        tables = self._data.get(key, [])
        if isinstance(tables, list) and all(isinstance(table, dict) for table in tables):
            return tables
        self._problem(None, key, f"must be tables that begin with [[{key}]]")
        return []

    def _bounded(self, key: str, most: int) -> list[dict[str, Any]]:
        """The first ``most`` tables ``[[key]]``; that there are more is a problem."""
        tables = self._tables(key)
        if len(tables) > most:
            self._problem(most, "name", f"is one too many: a workspace has {most} {key}s at most", among=key)
        return tables[:most]

    def _variables(self) -> dict[str, str]:
        given = self._data.get("variables", {})
        if not isinstance(given, dict):
            self._problem(None, "variables", "must be a table: [variables]")
            return {}
        if len(given) > variables.MAX_VARIABLES:
            self._problem(
                None, "variables", f"has {len(given)} of them; a workspace has {variables.MAX_VARIABLES} at most"
            )
        found: dict[str, str] = {}
        for name, value in given.items():
            wrong = variables.name_problem(name)
            if wrong is None and not isinstance(value, str):
                wrong = f'must be text, as in {name} = "{value}"'
            if wrong := wrong or variables.value_problem(value):
                self._problem(None, name, wrong, section="variables")
            elif len(found) < variables.MAX_VARIABLES:
                found[name] = value
        return found

    def _message(self, i: int, table: dict[str, Any]) -> Message | None:
        wrong = list(message_mistakes(table))
        for mistake in wrong:
            self._mistake(i, mistake, among="message")
        return None if wrong else Message.of(table)

    def _watches(self, services: watch.Schemes, outposts: set[str]) -> tuple[WatchConfig, ...]:
        tables, found = self._tables("watch"), {}
        if len(tables) > watch.MAX_WATCHES:
            self._problem(
                None, "watch", f"has {len(tables)} tables; a workspace has {watch.MAX_WATCHES} watches at most"
            )
        for i, table in enumerate(tables[: watch.MAX_WATCHES]):
            wrong = list(watch.mistakes(table, services))
            name = table.get("name")
            if isinstance(name, str) and name in found:
                wrong.append(options.Mistake("name", f'"{name}" is another watch\'s already. Give each its own'))
            for mistake in wrong:
                self._problem(i, mistake.option, mistake.text, among="watch")
            if not wrong:
                found[str(name)] = watch.made_of(table)
                for mistake in watch.without_outpost(table, services, outposts) if self._folder is not None else ():
                    self._problem(i, mistake.option, mistake.text, among="watch")
        return tuple(found.values())

    def _programs(self, services: set[str]) -> tuple[ProgramConfig, ...]:
        found: dict[str, ProgramConfig] = {}
        for i, table in enumerate(self._bounded("program", MAX_PROGRAMS)):
            wrong = list(program_config.mistakes(table, (*services, *found)))
            for mistake in wrong:
                self._mistake(i, mistake, among="program")
            if not wrong:
                found[str(table["name"])] = program_config.made_of(table)
        return tuple(found.values())

    def _alerts(self, services: set[str]) -> tuple[Alert, ...]:
        found: dict[str, Alert] = {}
        for i, table in enumerate(self._bounded("alert", MAX_ALERTS)):
            wrong = list(options.mistakes(ALERT, table))
            for mistake in wrong:
                self._mistake(i, mistake, among="alert")
            if wrong:
                continue
            alert = Alert.of(table)
            if alert.name in found:
                self._problem(i, "name", f'"{alert.name}" is taken. Give each alert its own', among="alert")
            for name in unknown_services(alert, services):
                self._problem(i, "then", f'stops "{name}", and there is no service of that name', among="alert")
            found.setdefault(alert.name, alert)
        return tuple(found.values())

    def _mail(self) -> Mail | None:
        given = self._data.get("mail")
        if given is None:
            return None
        if not isinstance(given, dict):
            self._problem(None, "mail", "must be a table: [mail]")
            return None
        wrong = list(options.problems(MAIL, given))
        if not wrong and (between := mail_problem(given)):
            wrong = [between]
        for key, text in wrong:
            self._problem(None, key, text, section="mail")
        return None if wrong else Mail.of(given)

    def _service(self, i: int, table: dict[str, Any]) -> ServiceConfig | None:
        before = len(self._problems)
        table = _with_pings_among_limits(table)
        for key in table:
            if key not in _KEYS:
                self._problem(i, key, f"is unknown. A service has {', '.join(_KEYS)}")
        name = self._text(i, table, "name", "tcp-echo")
        protocol = self._text(i, table, "protocol", "tcp")
        listen = self._text(i, table, "listen", "127.0.0.1:9007")
        if name is not None and (problem := name_problem(name)):
            self._problem(i, "name", problem)
        if protocol is not None and protocol not in PROTOCOLS:
            self._problem(i, "protocol", f'"{protocol}" is unknown. Use one of {", ".join(PROTOCOLS)}')
            protocol = None
        host, port = "", 0
        if listen is not None:
            try:
                host, port = address.parse(listen)
            except InvalidAddressError as e:
                self._problem(i, "listen", str(e))
        autostart = table.get("autostart", False)
        if not isinstance(autostart, bool):
            self._problem(i, "autostart", "must be true or false")
        group = table.get("group", "")
        if problem := group_problem(group):
            self._problem(i, "group", problem)
        responder = self._responder(i, table, protocol)
        given = self._options(i, table, responder, protocol)
        seed = table.get("seed", 0)
        if type(seed) is not int or seed < 0:
            self._problem(i, "seed", "must be a whole number from 0, as in seed = 7")
        failing = self._faults(i, table, protocol)
        sections = {section: self._section(i, table, section, protocol) for section in SECTIONS}
        if len(self._problems) > before or name is None or protocol is None or responder is None:
            return None
        service = ServiceConfig(
            name, protocol, host, port, responder, autostart, given, **sections, group=group, faults=failing, seed=seed
        )
        if self._folder is not None:
            for section, key, text in readiness.missing(service, self._folder):
                self._problem(i, key, text, section)
        return service

    def _text(self, i: int, table: dict[str, Any], key: str, example: str) -> str | None:
        value = table.get(key)
        if isinstance(value, str) and value.strip():
            return value
        wrong = "is missing: write" if key not in table else "must be text, as in"
        self._problem(i, key, f'{wrong} {key} = "{example}"')
        return None

    def _responder(self, i: int, table: dict[str, Any], protocol: str | None) -> str | None:
        if protocol is None:
            return None
        name = table.get("responder", PROTOCOLS[protocol].default)
        problem = responder_problem(name, protocol)
        if problem:
            self._problem(i, "responder", problem)
            return None
        return str(name)

    def _options(self, i: int, table: dict[str, Any], responder: str | None, protocol: str | None) -> dict[str, Any]:
        given = table.get("options", {})
        if not isinstance(given, dict):
            self._problem(i, "options", "must be a table: [service.options]")
            return {}
        if responder is None or protocol is None:
            return given
        for mistake in option_mistakes(responder, protocol, given):
            self._mistake(i, mistake, "options")
        return given

    def _faults(self, i: int, table: dict[str, Any], protocol: str | None) -> tuple[dict[str, Any], ...]:
        given = table.get("fault", [])
        if not isinstance(given, list) or not all(isinstance(fault, dict) for fault in given):
            self._problem(i, "fault", "must be tables that begin with [[service.fault]]")
            return ()
        if protocol is None:
            return tuple(given)
        if any(isinstance(name := fault.get("kind"), str) and faults.find(name) is None for fault in given):
            _find_installed()
        for mistake in fault_tables.mistakes(given, protocol, tls=table.get("tls") is not None):
            self._mistake(i, mistake)
        return tuple(given)

    def _mistake(self, i: int, mistake: options.Mistake, section: str = "", among: str = "service") -> None:
        """Report what is wrong with an option, at the line of its table, key and item."""
        inner = () if mistake.table is None else (mistake.table, mistake.key)
        item = () if mistake.item is None else (mistake.item,)
        self._problem(i, mistake.option, str(mistake), section, among, (*inner, *item))

    def _section(self, i: int, table: dict[str, Any], section: str, protocol: str | None) -> Any:
        given = table.get(section)
        if given is None:
            return None if section in OPTIONAL else {}
        if not isinstance(given, dict):
            self._problem(i, section, f"must be a table: [service.{section}]")
            return {}
        if protocol is not None:
            for key, text in section_problems(section, protocol, given):
                self._problem(i, key, text, section=section if key else "")
        return given

    def _check_together(self, services: list[tuple[int, ServiceConfig]]) -> None:
        """Report names and addresses that two services have in common."""
        names: dict[str, int] = {}
        places: dict[tuple[str, int], list[ServiceConfig]] = {}
        for i, service in services:
            if service.name in names:
                first = self._line(names[service.name], "name")
                self._problem(i, "name", f'"{service.name}" is taken in line {first}. Give each service its own')
            else:
                names[service.name] = i
            others = places.setdefault((PROTOCOLS[service.protocol].transport, service.port), [])
            taken = taken_by(service.protocol, service.host, service.port, others)
            if taken:
                self._problem(i, "listen", f'{service.listen} is taken by "{taken.name}". Choose another port')
            others.append(service)

    def _problem(
        self,
        number: int | None,
        key: str,
        text: str,
        section: str = "",
        among: str = "service",
        inner: toml_lines.Path = (),
    ) -> None:
        name = f"{section}.{key}" if section else key
        self._problems.append(Problem(self._line(number, key, section, among, inner or _inner(text)), name, text))

    def _line(
        self, number: int | None, key: str, section: str = "", among: str = "service", inner: toml_lines.Path = ()
    ) -> int:
        """The line of ``key`` in the given service or message; where the key is missing, that of the table's header.

        For a list, the line of the item that ``inner`` leads to, as far as it does.
        """
        table = () if number is None else (among, number)
        path = (*table, section, key) if section else (*table, key)
        places = [(*path, *inner[:length]) for length in range(len(inner), -1, -1)]
        return next((self._lines[place] for place in (*places, table) if place in self._lines), 1)

    @cached_property
    def _lines(self) -> dict[toml_lines.Path, int]:
        return toml_lines.lines_of(self._source)


def _inner(text: str) -> toml_lines.Path:
    """Where in a list the item stands that ``text`` names."""
    item = _ITEM.match(text)
    return (int(item[1]) - 1, item[2]) if item else ()


def taken_by(protocol: str, host: str, port: int, others: Iterable[ServiceConfig]) -> ServiceConfig | None:
    """The one of ``others`` that listens on the same transport, host and port, so that no other server can."""
    transport = PROTOCOLS[protocol].transport
    for other in others:
        same = port and other.port == port and PROTOCOLS[other.protocol].transport == transport
        if same and _clash(other.host, host):
            return other
    return None


def _clash(one: str, other: str) -> bool:
    """Whether two servers on the same port cannot listen on ``one`` and ``other`` at the same time."""
    if not (address.is_number(one) and address.is_number(other)):
        return one.lower() == other.lower()
    a, b = sorted(map(ip_address, (one, other)), key=lambda host: (host.is_unspecified, host.version))
    # 0.0.0.0 is every IPv4 address, :: every IPv4 and IPv6 address.
    return a == b or (b.is_unspecified and b.version in (a.version, 6))


def name_problem(name: str) -> str | None:
    """What is wrong with a service's name, or None."""
    if not name.strip():
        return "is missing"
    return _text_problem(name)


def group_problem(group: object) -> str | None:
    """What is wrong with the name of a service's group, or None. An empty name is valid: it means no group."""
    if not isinstance(group, str):
        return 'must be text, as in group = "Bench"'
    if group != group.strip():
        return f"must be one line of at most {MAX_NAME} characters, without spaces around it"
    return _text_problem(group)


def _text_problem(text: str) -> str | None:
    if len(text) > MAX_NAME or "\n" in text:
        return f"must be one line of at most {MAX_NAME} characters"
    hidden = next((at for at, character in enumerate(text) if not character.isprintable()), None)
    if hidden is not None:
        return f"must not have a control or invisible character: number {hidden + 1} is U+{ord(text[hidden]):04X}"
    return None


def responder_problem(name: object, protocol: str) -> str | None:
    """What is wrong with the responder called ``name`` on this protocol, or None."""
    able = [r.name for r in responders.serving(protocol)]
    if name not in able and _find_installed():
        able = [r.name for r in responders.serving(protocol)]
    if name in able:
        return None
    offer = f"For {protocol} use one of {', '.join(able)}"
    if isinstance(name, str) and responders.find(name):
        return f'"{name}" does not serve {protocol}. {offer}'
    return f'"{name}" is unknown. {offer}' if isinstance(name, str) else f"must be text. {offer}"


def _find_installed() -> bool:
    """Look for the plugins of installed packages, if nobody has yet. Whether that was done."""
    if TABLE.complete:
        return False
    TABLE.take_installed(installed())
    return True


def option_mistakes(responder: str, protocol: str, given: Mapping[str, Any]) -> Iterator[options.Mistake]:
    """What is wrong with the options of the responder on ``protocol``, and where."""
    found = responders.find(responder)
    if found is not None and found.missing:
        return  # its options are known when its plugin is loaded; the service checks them then
    declared = options_of(found, protocol)
    names = [option.name for option in declared]
    elsewhere: dict[str, list[str]] = {}
    for other in found.builders if found else ():
        for option in options_of(found, other):
            elsewhere.setdefault(option.name, []).append(other)
    for mistake in options.mistakes(declared, given):
        key = mistake.option
        if key in names:
            yield mistake
            continue
        known = f"It has {', '.join(names)}" if names else "It has none"
        if key in elsewhere:
            where = " and ".join(elsewhere[key])
            text = f'is an option of "{responder}" for {where}, not for {protocol}. {known} there'
        else:
            text = f'is not an option of "{responder}" for {protocol}. {known}'
        yield options.Mistake(key, text)


def section_problems(section: str, protocol: str, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Key and text for each setting of ``tls``, ``limits`` or ``socket`` that is wrong for ``protocol``."""
    known = settings.declared(section, protocol)
    if known:
        yield from options.problems(known, given)
    else:
        yield "", f"[service.{section}] is not for {protocol}"
