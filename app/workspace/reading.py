"""Reads a workspace: the TOML file of services, messages and alerts. Finds every problem in it, with its line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from app import options
from app.alerts.alert import ALERT, MAX_ALERTS, Alert, unknown_services
from app.alerts.mail import MAIL, Mail, mail_problem
from app.plugin_loader.table import TABLE
from app.programs import config as program_config
from app.programs.config import MAX_PROGRAMS, ProgramConfig
from app.services.config import ServiceConfig
from app.text import variables
from app.text.escapes import amount
from app.trust.asks import digest_of
from app.watch import config as watch
from app.watch.config import WatchConfig
from app.workspace import errors, readiness, toml_lines
from app.workspace.message import Message
from app.workspace.message import mistakes as message_mistakes
from app.workspace.outposts import MAX_OUTPOSTS, OUTPOST, OWN, Allow, OutpostConfig, made_of
from app.workspace.problems import Problem, Problems
from app.workspace.service_tables import ServiceTables

VERSION = 1

MAX_SIZE = 4_000_000
"""Most bytes of a workspace file."""

KEYS = ("version", "variables", "service", "program", "message", "watch", "alert", "mail", "outpost")
"""What a workspace file has at its top."""


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


class _Reading:
    """One pass over the data of a file."""

    def __init__(self, source: str, data: dict[str, Any], folder: Path | None) -> None:
        self._data, self._folder = data, folder
        self._problems = Problems(source)

    def read(self) -> tuple[Workspace, list[Problem]]:
        self._check_top()
        services, tables = self._tables("service"), ServiceTables(self._problems, self._folder)
        found = [tables.read(i, table) for i, table in enumerate(services)]
        tables.check_together([(i, s) for i, s in enumerate(found) if s is not None])
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
        right = tuple(s for s in found if s is not None)
        messages = tuple(m for m in saved if m is not None)
        return (
            Workspace(
                right, messages=messages, variables=given, watches=watches, alerts=alerts, mail=mail, programs=programs,
                outposts=outposts, allow=allow,
            ),
            sorted(self._problems.found, key=lambda problem: problem.line),
        )  # fmt: skip

    def _check_top(self) -> None:
        """Report a version that is not ours, and keys that are unknown."""
        version = self._data.get("version")
        if version is None:
            self._problems.add(None, "version", f"is missing: the first line must be version = {VERSION}")
        elif type(version) is not int or version < 1:
            self._problems.add(None, "version", f"must be {VERSION}")
        elif version > VERSION:
            self._problems.add(None, "version", f"{version} is from a newer Listening Post; this one reads {VERSION}")
        for key in self._data:
            if key not in KEYS:
                known = (
                    "version, [variables], [[service]], [[program]], [[message]], [[watch]], [[alert]], [mail],"
                    " [[outpost]] or [outpost]"
                )
                self._problems.add(None, key, f"is unknown. A workspace has {known}")

    def _own_outpost(self) -> Allow | Literal[""]:
        """What ``[outpost]`` allows; empty where there is none: ``[[outpost]]`` are those that are read."""
        given = self._data.get("outpost")
        if not isinstance(given, dict):
            return ""
        wrong = list(options.problems(OWN, given))
        for key, text in wrong:
            self._problems.add(None, key, text, section="outpost")
        allow: Allow = "read" if wrong else given.get("allow", "read")
        return allow

    def _outposts(self) -> tuple[OutpostConfig, ...]:
        found: dict[str, OutpostConfig] = {}
        for i, table in enumerate(self._bounded("outpost", MAX_OUTPOSTS)):
            wrong = list(options.mistakes(OUTPOST, table))
            for mistake in wrong:
                self._problems.mistake(i, mistake, among="outpost")
            if wrong:
                continue
            made = made_of(table)
            if made.name in found:
                self._problems.add(i, "name", f'"{made.name}" is taken. Give each outpost its own', among="outpost")
            found.setdefault(made.name, made)
        return tuple(found.values())

    def _check_upstreams(self, services: list[ServiceConfig | None], outposts: set[str]) -> None:
        """Report services of outposts that are named, where there is no such outpost."""
        for i, service in enumerate(services):
            for key, number, text in readiness.without_outpost(service, outposts) if service is not None else ():
                item = () if number is None else (number,)
                self._problems.add(i, key, text, "options", inner=item)

    def _tables(self, key: str) -> list[dict[str, Any]]:
        tables = self._data.get(key, [])
        if isinstance(tables, list) and all(isinstance(table, dict) for table in tables):
            return tables
        self._problems.add(None, key, f"must be tables that begin with [[{key}]]")
        return []

    def _bounded(self, key: str, most: int) -> list[dict[str, Any]]:
        """The first ``most`` tables ``[[key]]``; that there are more is a problem."""
        tables = self._tables(key)
        if len(tables) > most:
            self._problems.add(most, "name", f"is one too many: a workspace has {most} {key}s at most", among=key)
        return tables[:most]

    def _variables(self) -> dict[str, str]:
        given = self._data.get("variables", {})
        if not isinstance(given, dict):
            self._problems.add(None, "variables", "must be a table: [variables]")
            return {}
        if len(given) > variables.MAX_VARIABLES:
            self._problems.add(
                None, "variables", f"has {len(given)} of them; a workspace has {variables.MAX_VARIABLES} at most"
            )
        found: dict[str, str] = {}
        for name, value in given.items():
            wrong = variables.name_problem(name)
            if wrong is None and not isinstance(value, str):
                wrong = f'must be text, as in {name} = "{value}"'
            if wrong := wrong or variables.value_problem(value):
                self._problems.add(None, name, wrong, section="variables")
            elif len(found) < variables.MAX_VARIABLES:
                found[name] = value
        return found

    def _message(self, i: int, table: dict[str, Any]) -> Message | None:
        wrong = list(message_mistakes(table))
        for mistake in wrong:
            self._problems.mistake(i, mistake, among="message")
        return None if wrong else Message.of(table)

    def _watches(self, services: watch.Schemes, outposts: set[str]) -> tuple[WatchConfig, ...]:
        tables, found = self._tables("watch"), {}
        if len(tables) > watch.MAX_WATCHES:
            self._problems.add(
                None, "watch", f"has {len(tables)} tables; a workspace has {watch.MAX_WATCHES} watches at most"
            )
        for i, table in enumerate(tables[: watch.MAX_WATCHES]):
            wrong = list(watch.mistakes(table, services))
            name = table.get("name")
            if isinstance(name, str) and name in found:
                wrong.append(options.Mistake("name", f'"{name}" is another watch\'s already. Give each its own'))
            for mistake in wrong:
                self._problems.add(i, mistake.option, mistake.text, among="watch")
            if not wrong:
                found[str(name)] = watch.made_of(table)
                for mistake in watch.without_outpost(table, services, outposts) if self._folder is not None else ():
                    self._problems.add(i, mistake.option, mistake.text, among="watch")
        return tuple(found.values())

    def _programs(self, services: set[str]) -> tuple[ProgramConfig, ...]:
        found: dict[str, ProgramConfig] = {}
        for i, table in enumerate(self._bounded("program", MAX_PROGRAMS)):
            wrong = list(program_config.mistakes(table, (*services, *found)))
            for mistake in wrong:
                self._problems.mistake(i, mistake, among="program")
            if not wrong:
                found[str(table["name"])] = program_config.made_of(table)
        return tuple(found.values())

    def _alerts(self, services: set[str]) -> tuple[Alert, ...]:
        found: dict[str, Alert] = {}
        for i, table in enumerate(self._bounded("alert", MAX_ALERTS)):
            wrong = list(options.mistakes(ALERT, table))
            for mistake in wrong:
                self._problems.mistake(i, mistake, among="alert")
            if wrong:
                continue
            alert = Alert.of(table)
            if alert.name in found:
                self._problems.add(i, "name", f'"{alert.name}" is taken. Give each alert its own', among="alert")
            for name in unknown_services(alert, services):
                self._problems.add(i, "then", f'stops "{name}", and there is no service of that name', among="alert")
            found.setdefault(alert.name, alert)
        return tuple(found.values())

    def _mail(self) -> Mail | None:
        given = self._data.get("mail")
        if given is None:
            return None
        if not isinstance(given, dict):
            self._problems.add(None, "mail", "must be a table: [mail]")
            return None
        wrong = list(options.problems(MAIL, given))
        if not wrong and (between := mail_problem(given)):
            wrong = [between]
        for key, text in wrong:
            self._problems.add(None, key, text, section="mail")
        return None if wrong else Mail.of(given)
