"""Questions before something is lost: the workspace that is open, or what another program wrote to its file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from PyQt5.QtCore import QCoreApplication, Qt
from PyQt5.QtWidgets import QMessageBox, QWidget

from app.post import Post
from app.status import Listening, Starting
from ui.looks.icons import icon

NAMED = 3
"""Services whose names stand in the question; of more there is the number."""


@dataclass(frozen=True, slots=True)
class Running:
    """How many services are up, how many connections they have, and the names of those that have one."""

    services: int = 0
    clients: int = 0
    busy: tuple[str, ...] = ()


def running(post: Post) -> Running:
    """What stops when the workspace is replaced or the window closes."""
    up = [service for service in post.services.values() if isinstance(service.status, Starting | Listening)]
    busy = [service for service in up if service.config.protocol != "udp" and service.clients()]  # UDP has none
    clients = sum(len(service.clients()) for service in busy)
    programs = [program for program in post.programs if program.pid]
    clients += sum(len(port.clients()) for program in programs for port in program.ports.values())
    names = [*(service.config.name for service in busy), *(program.config.name for program in programs)]
    return Running(len(up) + len(programs), clients, tuple(names))


class OverwriteQuestion(QMessageBox):
    """Asks whether to save to a file that another program has changed."""

    def __init__(self, parent: QWidget, name: str) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.PlainText)
        self.setWindowTitle(self.tr("Changed elsewhere"))
        self.setText(self.tr("Another program has changed “{name}”. Overwrite its changes?").format(name=name))
        self.setInformativeText(
            self.tr("Its changes to services and messages will be lost. To keep both versions, use Save workspace as.")
        )
        self.setIconPixmap(icon("warning", "warning").pixmap(24, 24))
        self.setStandardButtons(QMessageBox.Save | QMessageBox.Cancel)
        self.button(QMessageBox.Save).setText(self.tr("&Overwrite"))
        self.setDefaultButton(QMessageBox.Cancel)

    def agreed(self) -> bool:
        """Ask, and wait for the answer."""
        answer = self.exec_()
        self.deleteLater()
        return answer == QMessageBox.Save


class UnappliedQuestion(QMessageBox):
    """Asks what to save while pages have changes that are not applied.

    The answer of ``exec_`` is ``Apply``, ``Ignore`` (save without them) or ``Cancel``.
    """

    def __init__(self, parent: QWidget, pending: Mapping[str, bool]) -> None:
        """``pending``: the names of the services, and whether their changes can be applied, by a restart."""
        super().__init__(parent)
        self.setTextFormat(Qt.PlainText)
        self.setWindowTitle(self.tr("Changes that are not applied"))
        self.setText(unapplied(pending))
        why = []
        if any(pending.values()):
            why.append(self.tr("To apply the changes, the service restarts, which closes its connections."))
        if not all(pending.values()):
            why.append(self.tr("Changes with mistakes cannot be saved. They stay on their page."))
        self.setInformativeText("\n".join(why))
        buttons = QMessageBox.Ignore | QMessageBox.Cancel
        self.setStandardButtons(buttons | QMessageBox.Apply if any(pending.values()) else buttons)
        self.button(QMessageBox.Ignore).setText(self.tr("Save &without them"))
        if any(pending.values()):
            self.button(QMessageBox.Apply).setText(self.tr("&Apply, restart and save"))
        self.setIconPixmap(icon("save", "accent").pixmap(24, 24))
        self.setDefaultButton(QMessageBox.Apply if any(pending.values()) else QMessageBox.Ignore)


def unapplied(names: Iterable[str]) -> str:
    """Says that changes to these services are not applied."""
    words = QCoreApplication.translate("UnappliedQuestion", "Changes to {names} are not applied.")
    return words.format(names=", ".join(f"“{name}”" for name in names))


class LeaveQuestion(QMessageBox):
    """Asks whether the workspace called ``title`` may go.

    The answer of ``exec_`` is ``Save`` or ``Discard``, where changes are not saved; ``Ok``, where they are and
    something else ends; or ``Cancel``.
    """

    def __init__(
        self,
        parent: QWidget,
        title: str,
        modified: bool,
        up: Running,
        following: str,
        unfinished: str = "",
        pending: Collection[str] = (),
    ) -> None:
        """``following`` is the title of the workspace that takes its place; empty if the window closes.

        ``unfinished`` is the name of a file that is being written, and is not kept if the window closes.
        ``pending`` are the services with changes that are not applied; they are not saved either.
        """
        super().__init__(parent)
        self.setTextFormat(Qt.PlainText)
        ends = self._words(up, following) if following and up.services else ""
        if not following and up.clients:
            ends = self._cut_off(up)
        if unfinished:
            words = self.tr("“{name}” is still being written. If you quit now, the file is deleted.")
            ends = "\n\n".join(filter(None, (words.format(name=unfinished), ends)))
        if modified or pending:
            self._ask_to_save(title, "\n\n".join(filter(None, (unapplied(pending) if pending else "", ends))))
        elif unfinished:
            words = self.tr("Quit before “{name}” is complete?").format(name=unfinished)
            self._ask_to_end(self.tr("Quit"), words, ends, self.tr("&Quit"))
        elif not following:
            words = self.tr("Quit and disconnect {clients}?").format(clients=self._clients(up))
            self._ask_to_end(self.tr("Quit"), words, ends, self.tr("&Quit"))
        else:
            words = self.tr("Stop the services and open “{title}”?").format(title=following)
            self._ask_to_end(self.tr("Services are running"), words, ends, self.tr("&Stop and open"))

    def _ask_to_end(self, title: str, words: str, ends: str, yes: str) -> None:
        self.setWindowTitle(title)
        self.setText(words)
        self.setInformativeText(ends)
        self.setStandardButtons(QMessageBox.Ok | QMessageBox.Cancel)
        self.button(QMessageBox.Ok).setText(yes)
        self.setIconPixmap(icon("stop", "accent").pixmap(24, 24))
        self.setDefaultButton(QMessageBox.Ok)

    def _ask_to_save(self, title: str, ends: str) -> None:
        self.setWindowTitle(self.tr("Unsaved changes"))
        self.setText(self.tr("Save the changes to “{title}”?").format(title=title))
        lost = self.tr("Your changes are lost if you do not save them. The capture is kept either way.")
        self.setInformativeText(f"{lost}\n\n{ends}" if ends else lost)
        self.setStandardButtons(QMessageBox.Save | QMessageBox.Discard | QMessageBox.Cancel)
        self.button(QMessageBox.Save).setText(self.tr("&Save"))
        self.button(QMessageBox.Discard).setText(self.tr("&Discard"))
        self.setIconPixmap(icon("save", "accent").pixmap(24, 24))
        self.setDefaultButton(QMessageBox.Save)

    def _words(self, up: Running, following: str) -> str:
        services = self.tr("%n service(s)", "", up.services)
        if not up.clients:
            words = self.tr("Opening “{title}” stops {services}. No client is connected.")
            return words.format(title=following, services=services)
        words = self.tr("Opening “{title}” stops {services} and disconnects {clients}.")
        return words.format(title=following, services=services, clients=self._clients(up))

    def _clients(self, up: Running) -> str:
        return self.tr("%n client(s)", "", up.clients)

    def _cut_off(self, up: Running) -> str:
        """Says who is connected to what; the services stop with the window."""
        names = ", ".join(f"“{name}”" for name in up.busy[:NAMED])
        if (more := len(up.busy) - NAMED) > 0:
            names = self.tr("{names} and {count:,} more").format(names=names, count=more)
        connected = self.tr("Connected to {names}: {clients}.").format(names=names, clients=self._clients(up))
        return " ".join([connected, self.tr("Quitting stops all services. The capture is kept.")])
