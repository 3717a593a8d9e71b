"""The one question before the workspace goes: what of it is not saved, and what would stop."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QMessageBox, QWidget

from app.post import Post
from app.status import Listening, Starting
from ui.looks.icons import icon


@dataclass(frozen=True, slots=True)
class Running:
    """How many services are up, and how many connections they have."""

    services: int = 0
    clients: int = 0


def running(post: Post) -> Running:
    """What stops when the workspace is replaced."""
    up = [service for service in post.services.values() if isinstance(service.status, Starting | Listening)]
    return Running(len(up), sum(len(service.connections) for service in up))


class LeaveQuestion(QMessageBox):
    """Asks whether the workspace called ``title`` may go.

    The answer of ``exec_`` is ``Save`` or ``Discard``, where changes are not saved; ``Ok``, where they are and
    services run; or ``Cancel``.
    """

    def __init__(self, parent: QWidget, title: str, modified: bool, up: Running, following: str) -> None:
        """``following`` is the title of the workspace that takes its place; empty if the window closes."""
        super().__init__(parent)
        self.setTextFormat(Qt.PlainText)
        stops = self._words(up, following) if following and up.services else ""
        if modified:
            self._ask_to_save(title, stops)
        else:
            self.setWindowTitle(self.tr("Services run"))
            self.setText(self.tr("Stop the services and open “{title}”?").format(title=following))
            self.setInformativeText(stops)
            self.setStandardButtons(QMessageBox.Ok | QMessageBox.Cancel)
            self.button(QMessageBox.Ok).setText(self.tr("&Stop and open"))
            self.setIconPixmap(icon("stop", "accent").pixmap(24, 24))
            self.setDefaultButton(QMessageBox.Ok)

    def _ask_to_save(self, title: str, stops: str) -> None:
        self.setWindowTitle(self.tr("Unsaved changes"))
        self.setText(self.tr("Save the changes to “{title}”?").format(title=title))
        lost = self.tr("Without saving, what was changed is lost. The capture is kept either way.")
        self.setInformativeText(f"{lost}\n\n{stops}" if stops else lost)
        self.setStandardButtons(QMessageBox.Save | QMessageBox.Discard | QMessageBox.Cancel)
        self.button(QMessageBox.Save).setText(self.tr("&Save"))
        self.button(QMessageBox.Discard).setText(self.tr("&Discard"))
        self.setIconPixmap(icon("save", "accent").pixmap(24, 24))
        self.setDefaultButton(QMessageBox.Save)

    def _words(self, up: Running, following: str) -> str:
        if up.services == 1:
            services = self.tr("1 service runs")
        else:
            services = self.tr("{count} services run").format(count=f"{up.services:,}")
        if up.clients == 1:
            clients = self.tr("1 client is connected")
        else:
            clients = self.tr("{count} clients are connected").format(count=f"{up.clients:,}")
        return self.tr("{services}, {clients}. All of them stop when “{title}” opens.").format(
            services=services, clients=clients, title=following
        )
