"""Services of outposts, added, changed, copied and removed from here, as far as the outpost allows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from PyQt5.QtCore import QObject, QPoint, Qt
from PyQt5.QtWidgets import QMenu, QMessageBox, QWidget

from app.errors import PostError
from app.outposts import protocol as p
from app.outposts.changing import services_in
from app.outposts.following import Following
from app.services.config import ServiceConfig
from app.text.escapes import one_line
from app.workspace.reading import Workspace
from app.workspace.saving import as_text
from ui.looks.icons import icon
from ui.outposts import words
from ui.parts.labels import unmarked
from ui.services import checks
from ui.services.outpost_dialog import OutpostServiceDialog, known

FRAME = 1_000
"""Bytes of a request beside the text in it, at the most."""


class ServicesElsewhere(QObject):
    """Asks outposts for what their menus offer. What is changed there cannot be undone from here.

    Attributes:
        dialog: the one that was opened last; None when it is closed.
        question: the one that was asked last.
    """

    def __init__(
        self, window: QWidget, say: Callable[[str], object], tell: Callable[[str], object],
        add: Callable[[ServiceConfig], object], outposts: Callable[[], Mapping[str, Following]],
    ) -> None:  # fmt: skip
        """``say`` shows what went wrong, ``tell`` what was done; ``add`` adds a service to the workspace."""
        super().__init__(window)
        self._window, self._say, self._tell, self._add, self._outposts = window, say, tell, add, outposts
        self.dialog: OutpostServiceDialog | None = None
        self.question: QMessageBox | None = None

    # -- what the menus offer

    def do(self, what: str, outpost: Following, service: str) -> None:
        """Do what the menu of an outpost wants: ``new``, ``change``, ``take`` or ``drop``."""
        if what == "new":
            self.new(outpost)
        elif what == "change":
            self.change(outpost, service)
        elif what == "take":
            self.take(outpost, service)
        else:
            self.remove(outpost, service)

    def new(self, outpost: Following) -> None:
        """Open the form of a new service there."""
        self._open(outpost, None)

    def change(self, outpost: Following, service: str) -> None:
        """Open the form of a service there, as it is now."""

        def show(config: ServiceConfig, table: p.Table) -> None:
            self._open(outpost, config, instead=service, left_out=_listed(table.secret))

        self._fetch(outpost, service, show)

    def take(self, outpost: Following, service: str) -> None:
        """Copy a service of an outpost into the workspace."""

        def take(config: ServiceConfig, table: p.Table) -> None:
            self._add(config)
            if table.secret:
                words = self.tr("“{name}” was copied without the secrets that {outpost} keeps: {secret}")
                self._say(words.format(name=config.name, outpost=outpost.name, secret=", ".join(_listed(table.secret))))

        self._fetch(outpost, service, take)

    def copy(self, config: ServiceConfig, outpost: Following) -> None:
        """Open the form of a new service there, like one of the workspace; of a name that is free there."""
        others = known(outpost)
        if any(other.name == config.name for other in others):
            config = replace(config, name=checks.free_name(config.name, others))
        if config.port and checks.place_problem(config.protocol, config.host, config.port, others):
            config = replace(config, port=checks.suggested_port(config.protocol, others))
        self._open(outpost, config)

    def remove(self, outpost: Following, service: str) -> None:
        """Ask, and remove a service there."""
        box = self.question = QMessageBox(self._window)
        box.setAttribute(Qt.WA_DeleteOnClose)
        box.setWindowTitle(self.tr("Remove a service of {outpost}").format(outpost=outpost.name))
        box.setTextFormat(Qt.PlainText)
        box.setText(self.tr("Remove “{name}” from {outpost}?").format(name=service, outpost=outpost.name))
        box.setInformativeText(
            self.tr("The service is stopped there, and its connections are closed. This cannot be undone from here.")
        )
        box.setIconPixmap(icon("warning", "warning").pixmap(24, 24))
        box.setStandardButtons(QMessageBox.Yes | QMessageBox.Cancel)
        box.button(QMessageBox.Yes).setText(self.tr("&Remove"))
        box.setDefaultButton(QMessageBox.Cancel)
        box.button(QMessageBox.Yes).clicked.connect(lambda: self._remove(outpost, service))
        box.finished.connect(lambda _: setattr(self, "question", None))
        box.open()

    def menu(self, config: ServiceConfig) -> QMenu:
        """The outposts to which a service of the workspace can be copied; those greyed that do not allow it."""
        menu = QMenu(self._window)
        menu.setToolTipsVisible(True)
        menu.setAttribute(Qt.WA_DeleteOnClose)
        for outpost in self._outposts().values():
            action = menu.addAction(self.tr("Copy to {outpost}").format(outpost=unmarked(outpost.name)))
            action.triggered.connect(lambda _, to=outpost: self.copy(config, to))
            why = words.why_not(outpost, p.Put)
            action.setEnabled(not why)
            action.setToolTip(why)
        return menu

    def offer_copy(self, config: ServiceConfig, at: QPoint) -> None:
        """Let the user choose the outpost to which a service is copied."""
        if not self._outposts():
            self._say(self.tr("There is no outpost yet. Add one in View, Outposts"))
            return
        self.menu(config).popup(at)

    # -- what is asked

    def _fetch(self, outpost: Following, service: str, then: Callable[[ServiceConfig, p.Table], object]) -> None:
        """Ask for the configuration of a service."""

        def take(table: p.Table) -> None:
            try:
                found = services_in(table.toml)
            except PostError as e:
                reason = str(e).rstrip(".")
                said = self.tr(
                    "{outpost}: “{name}” cannot be shown here: {reason}. It may need a plugin that is only there"
                )
                self._say(said.format(outpost=outpost.name, name=service, reason=reason))
                return
            if list(found) != [service]:
                said = self.tr("{outpost} answered with another service than “{name}”")
                self._say(said.format(outpost=outpost.name, name=service))
                return
            then(found[service], table)

        self._ask(outpost, p.Configuration(service), take)

    def _open(
        self, outpost: Following, config: ServiceConfig | None, *, instead: str = "", left_out: Iterable[str] = ()
    ) -> None:
        dialog = self.dialog = OutpostServiceDialog(
            outpost, config, self._window, instead=instead, left_out=tuple(left_out)
        )
        dialog.given.connect(lambda given, starts: self._put(dialog, given, starts=starts))
        dialog.finished.connect(lambda _: self._on_closed(dialog))
        dialog.open()

    def _on_closed(self, dialog: OutpostServiceDialog) -> None:
        if self.dialog is dialog:
            self.dialog = None
        dialog.deleteLater()

    def _put(self, dialog: OutpostServiceDialog, config: ServiceConfig, *, starts: bool) -> None:
        outpost, toml = dialog.outpost, as_text(Workspace((config,))).decode()
        if len(toml.encode()) > p.MAX_REQUEST - FRAME:
            dialog.refused(self.tr("Its settings and rules are too large to be sent: at most 1 MB"))
            return

        def done(put: p.Services) -> None:
            if self.dialog is dialog:
                dialog.accept()
            for service in put.services:
                self._tell_put(outpost, service)

        def refused(reason: str) -> None:
            if self.dialog is dialog:
                dialog.refused(reason)
            else:
                self._on_refused(outpost, reason)

        self._ask(outpost, p.Put(toml, starts, keep=bool(dialog.instead)), done, refused)

    def _tell_put(self, outpost: Following, service: p.Service) -> None:
        name, reason = one_line(service.name[:200]), one_line(service.words[:1_000])
        if service.status in ("failed", "waiting", "held"):
            said = self.tr("“{name}” was saved on {outpost}, but does not run: {reason}")
            self._say(said.format(outpost=outpost.name, name=name, reason=reason))
        else:
            self._tell(self.tr("“{name}” was saved on {outpost}").format(outpost=outpost.name, name=name))

    def _remove(self, outpost: Following, service: str) -> None:
        said = self.tr("“{name}” was removed from {outpost}").format(name=service, outpost=outpost.name)
        self._ask(outpost, p.Remove(service), lambda _: self._tell(said))

    def _ask(
        self, outpost: Following, request: p.Request, then: Callable[[Any], object],
        refused: Callable[[str], object] | None = None,
    ) -> None:  # fmt: skip
        def failed(failure: Any) -> None:
            if failure.check(PostError) is None:
                failure.raiseException()
            reason = one_line(str(failure.value))
            if refused is not None:
                refused(reason)
            else:
                self._on_refused(outpost, reason)

        outpost.ask(request).addCallbacks(then, failed)

    def _on_refused(self, outpost: Following, reason: str) -> None:
        self._say(self.tr("{outpost}: {reason}").format(outpost=outpost.name, reason=reason))


def _listed(secret: Iterable[str]) -> list[str]:
    """Names of settings, as an outpost has told them."""
    return [one_line(name[:100]) for name in tuple(secret)[:20]]
