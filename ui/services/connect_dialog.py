"""How to connect to a service: its addresses, and lines to paste into a shell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QCoreApplication, QSize, Qt
from PyQt5.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStyledItemDelegate,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from app.errors import PostError
from app.programs.shown import HostedPort
from app.sending.connect_lines import ConnectLine, addresses, lines, login
from app.services import address
from app.services.protocols import PROTOCOLS
from app.services.service import Service
from app.services.tls import authority
from app.status import Listening
from ui.forms.form import Words, Wrapped
from ui.looks.icons import icon
from ui.parts import copying

InThread = Callable[..., Deferred[Any]]

WIDTH = 720
"""Width of the dialog in pixels."""


class ConnectDialog(QDialog):
    """Lists this machine's addresses that reach a service, and shell lines for the selected address."""

    def __init__(self, service: Service | HostedPort, in_thread: InThread, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowContextHelpButtonHint, False)
        self._service = service
        config = service.config
        self.setWindowTitle(self.tr("How to connect to {name}").format(name=config.name))
        bound = service.status.host if isinstance(service.status, Listening) else config.listen
        self._port = int(bound.rpartition(":")[2])
        self._ca: Path | None = None
        self.address = QComboBox()
        self.address.setItemDelegate(QStyledItemDelegate(self.address))
        self.address.setAccessibleName(self.tr("Address"))
        self.address.currentIndexChanged.connect(lambda _: self._fill())
        self.words = Words()
        self._form = QFormLayout()
        self._form.setHorizontalSpacing(16)
        self._form.setVerticalSpacing(8)
        self._form.setFieldGrowthPolicy(QFormLayout.AllNonFixedFieldsGrow)
        close = QPushButton(self.tr("Close"))
        close.setAutoDefault(False)
        close.clicked.connect(self.reject)
        top, bottom = QHBoxLayout(), QHBoxLayout()
        top.setSpacing(16)
        label = QLabel(self.tr("&Address"))
        label.setBuddy(self.address)
        top.addWidget(label)
        top.addWidget(self.address, 1)
        bottom.addStretch()
        bottom.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addLayout(top)
        layout.addWidget(self.words)
        layout.addLayout(self._form)
        layout.addStretch()
        layout.addLayout(bottom)
        self.resize(WIDTH, self.sizeHint().height())
        self._alive = True
        self.finished.connect(self._on_finished)
        data = service.surroundings.data if isinstance(service, Service) and self._signed else None
        reading = in_thread(_read, config.host, data)
        reading.addCallbacks(self._on_found, self._on_failure)

    @property
    def _signed(self) -> bool:
        """Whether the local authority signed the service's certificate."""
        tls = self._service.config.tls
        return tls is not None and tls.get("certificate", "auto") == "auto"

    def _on_finished(self, _: int) -> None:
        self._alive = False

    def _on_found(self, found: tuple[list[str], Path | None]) -> None:
        if not self._alive:
            return
        hosts, self._ca = found
        for host in hosts:
            self.address.addItem(address.join(host, self._port), host)
        words, role = self._about()
        self.words.say(f"{words} {login(self._service.config.protocol, self._service.config.options)}".strip(), role)
        self._fit()

    def _fit(self) -> None:
        layout = self.layout()
        layout.activate()
        self.resize(WIDTH, layout.totalHeightForWidth(WIDTH))

    def _on_failure(self, failure: Failure) -> None:
        failure.trap(PostError)
        if self._alive:
            self.words.say(failure.getErrorMessage(), "error")

    def _about(self) -> tuple[str, str]:
        if not isinstance(self._service.status, Listening):
            return self.tr("It is not listening: start it first."), "warning"
        config = self._service.config
        title = PROTOCOLS[config.protocol].title
        name = self.tr("{protocol} over TLS").format(protocol=title) if config.tls is not None else title
        if not config.exposed:
            words = self.tr("{name}. Only this machine can reach it: it listens on {host}.")
            return words.format(name=name, host=config.host), "dim"
        return self.tr("{name}. Others on the network can reach it, unless a firewall is in the way.").format(
            name=name
        ), "dim"

    def _fill(self) -> None:
        while self._form.rowCount():
            self._form.removeRow(0)
        config = self._service.config
        host = self.address.currentData()
        for line in lines(config.protocol, host, self._port, tls=config.tls is not None, ca=self._ca):
            self._form.addRow(line.title, _row(line))


def _row(line: ConnectLine) -> QHBoxLayout:
    """The whole line, wrapped, and a button that copies it."""
    text = Wrapped(line.text)
    text.setTextInteractionFlags(Qt.TextSelectableByMouse | Qt.TextSelectableByKeyboard)
    text.setProperty("role", "mono")
    text.setProperty("surface", "field")
    text.setAccessibleName(line.title)
    text.setAccessibleDescription(line.text)
    copy = QToolButton()
    copy.setIcon(icon("copy"))
    copy.setIconSize(QSize(14, 14))
    copy.setToolTip(QCoreApplication.translate("ConnectDialog", "Copy"))
    copy.setAccessibleName(
        QCoreApplication.translate("ConnectDialog", "Copy the command for {title}").format(title=line.title)
    )
    copied = QCoreApplication.translate("ConnectDialog", "Copied the command for {title}")
    copy.clicked.connect(lambda: copying.copy(line.text, copied.format(title=line.title)))
    row = QHBoxLayout()
    row.setSpacing(4)
    row.addWidget(text, 1)
    row.addWidget(copy, 0, Qt.AlignTop)
    return row


def _read(host: str, data: Path | None) -> tuple[list[str], Path | None]:
    """The addresses that reach the service, and the certificate of the authority whose folder is ``data``. Blocks."""
    return addresses(host), authority.of(data).path if data is not None else None
