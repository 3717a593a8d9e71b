"""The user's actions on hosted programs: run, change, take away, start, end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt5.QtCore import QObject
from PyQt5.QtWidgets import QWidget
from twisted.internet.defer import Deferred

from app.post import Post
from app.programs.config import MAX_PROGRAMS, ON_CHANGE, made_of
from app.programs.fields import fields_of, suggested_name
from app.programs.hosted import HostedProgram
from app.status import Waiting
from ui.edits import Edits
from ui.settings import Settings

if TYPE_CHECKING:
    from ui.programs.dialog import ProgramDialog

FIRST = {"restart": ON_CHANGE}
"""What the dialog shows when it is opened for the first time."""


class ProgramActions(QObject):
    """Carries out actions on programs. Its dialog does not block: servers run while it is open.

    Attributes:
        dialog: the one that is open; None while there is none.
    """

    def __init__(
        self, post: Post, edits: Edits, settings: Settings, window: QWidget, say: Callable[[str], object]
    ) -> None:
        """``say`` shows what went wrong."""
        super().__init__(window)
        self._post, self._edits, self._settings, self._window, self._say = post, edits, settings, window, say
        self.dialog: ProgramDialog | None = None

    def named(self, name: str) -> HostedProgram | None:
        """The program of this name, or the one whose port has it."""
        return self._post.programs.all.get(name.partition("/")[0])

    # -- the dialog

    def run(self, file: Path | None = None) -> None:
        """Ask which program to run, with what was run last; or with ``file``."""
        if len(self._edits.state.programs) >= MAX_PROGRAMS:
            self._say(self.tr("A workspace has at most {count} programs.").format(count=MAX_PROGRAMS))
            return
        fields = self._settings.program or dict(FIRST)
        if file is not None:
            kept = {key: fields[key] for key in ("restart",) if key in fields}
            fields = {**kept, "program": str(file)}
            fields["name"] = suggested_name(str(file))
        if fields.get("name"):
            fields["name"] = self._unused(str(fields["name"]))
        self._open(fields)

    def edit(self, name: str) -> None:
        """Ask how a program is to run."""
        program = self.named(name)
        if program is not None:
            self._open(fields_of(program.config.as_table()), program.config.name)

    def _open(self, fields: Mapping[str, Any], instead: str = "") -> None:
        from ui.programs.dialog import ProgramDialog

        if self.dialog is not None:
            self.dialog.raise_()
            self.dialog.activateWindow()
            return
        dialog = self.dialog = ProgramDialog(
            fields, self._post.folder, lambda: self._taken() - {instead}, instead, self._window
        )
        dialog.given.connect(lambda table: self._put(table, instead))
        dialog.finished.connect(self._on_finished)
        dialog.open()

    def _on_finished(self, _: int) -> None:
        self.dialog = None

    def _taken(self) -> set[str]:
        state = self._edits.state
        return {*(one.name for one in state.services), *(one.name for one in state.programs)}

    def _unused(self, name: str) -> str:
        taken = self._taken()
        return next(new for new in (name, *(f"{name} {n}" for n in range(2, 10_000))) if new not in taken)

    def _put(self, table: Mapping[str, Any], instead: str) -> None:
        """Add a program and run it, or put it in the place of another."""
        new, programs = made_of(table), list(self._edits.state.programs)
        places = [at for at, program in enumerate(programs) if program.name == instead]
        if places:
            programs[places[0]] = replace(new, faults=programs[places[0]].faults)
            self._edits.set_programs(programs, self.tr("editing the program “{name}”").format(name=instead))
            return
        self._settings.program = fields_of(table)
        words = self.tr("adding the program “{name}”").format(name=new.name)
        self._edits.set_programs([*programs, new], words)

        async def begin() -> None:
            program = self._post.programs.all.get(new.name)
            if program is not None:
                await program.start()

        self._edits.when_followed(begin)

    # -- one program

    def remove(self, name: str) -> bool:
        """End a program and take it away; False where ``name`` is none."""
        if name not in self._post.programs.all:
            return False
        rest = [program for program in self._edits.state.programs if program.name != name]
        self._edits.set_programs(rest, self.tr("removing the program “{name}”").format(name=name))
        return True

    def toggle(self, name: str) -> None:
        """Start a program or end it; close a port of one."""
        port = self._post.programs.port(name)
        program = self._post.programs.all.get(name)
        if port is not None:
            port.stop()
        elif program is not None and program.running:
            program.stop()
        elif program is not None:
            Deferred.fromCoroutine(program.start())
            self._post.ask_again()

    def restart(self, name: str) -> None:
        """End a program, if it runs, and start it."""
        program = self.named(name)
        if program is not None:
            Deferred.fromCoroutine(program.restart())
            self._post.ask_again()

    def kill(self, name: str) -> None:
        """End a program at once."""
        program = self.named(name)
        if program is not None:
            program.kill()

    def try_now(self, name: str) -> None:
        """Start one that waits for its next try."""
        program = self._post.programs.all.get(name)
        if program is not None and isinstance(program.status, Waiting):
            Deferred.fromCoroutine(program.start())
