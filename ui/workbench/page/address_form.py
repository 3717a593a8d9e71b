"""The form of a service's address, protocol and start."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.services import address, errors
from app.services.config import ServiceConfig
from ui.forms.dropdown import Dropdown
from ui.forms.form import Form, sentence, set_property, tell
from ui.services import checks


class AddressForm(QWidget):
    """Host, port, and whether the service starts by itself.

    Signals:
        changed(): something was edited.
    """

    changed = pyqtSignal()

    def __init__(self, config: ServiceConfig) -> None:
        super().__init__()
        self.host = Dropdown()
        self.host.setEditable(True)
        self.host.addItems(checks.HOSTS)
        self.host.setInsertPolicy(QComboBox.NoInsert)
        self.host.setCompleter(None)  # type: ignore[arg-type]
        self.host.setProperty("role", "mono")
        self.host.setEditText(config.host)
        self.port = QLineEdit(str(config.port))
        self.port.setProperty("role", "mono")
        self.port.setAccessibleName(self.tr("Port"))
        self.port.setFixedWidth(self.port.fontMetrics().horizontalAdvance("0") * 7 + 24)
        self.autostart = QCheckBox(self.tr("Start &it when the workspace is opened"))
        self.autostart.setChecked(config.autostart)
        form = Form()
        self._words = form.add(self.tr("A&ddress"), self.host, QLabel(":"), self.port)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(form)
        column.addWidget(self.autostart)
        self.host.editTextChanged.connect(lambda _: self.changed.emit())
        self.host.lineEdit().editingFinished.connect(self._split_address)
        self.port.textChanged.connect(lambda _: self.changed.emit())
        self.autostart.toggled.connect(lambda _: self.changed.emit())

    def put_into(self, config: ServiceConfig) -> ServiceConfig:
        """``config`` with what the form has."""
        port = self.port.text().strip()
        return replace(
            config,
            host=self._host(),
            port=int(port) if checks.port_problem(port) is None else config.port,
            autostart=self.autostart.isChecked(),
        )

    def check(self, protocol: str, others: Collection[ServiceConfig]) -> int:
        """Show what is wrong. Returns how much is."""
        host, port = self._host(), self.port.text().strip()
        wrong_host, wrong_port = checks.host_problem(host), checks.port_problem(port)
        taken = None
        if not wrong_host and not wrong_port:
            taken = checks.place_problem(protocol, host, int(port), others)
        problem = wrong_host or wrong_port or taken
        otherwise = self.tr("Any free port") if port == "0" else self.tr("Only programs on this machine can reach it")
        tell(self.port, self._words, problem and sentence(problem), otherwise)
        set_property(self.host, "invalid", wrong_host is not None)
        set_property(self.port, "invalid", wrong_port is not None or taken is not None)
        self.host.setAccessibleDescription(self._words.text())
        if not problem and address.is_exposed(host):
            self._words.say(self.tr("⚠ Others on the network can reach it."), "warning")
        return int(problem is not None)

    def _host(self) -> str:
        text = self.host.currentText().strip()
        return text[1:-1] if text.startswith("[") and text.endswith("]") else text

    def _split_address(self) -> None:
        """If the user pasted ``host:port`` as the host, put each part into its own field."""
        try:
            host, port = address.parse(self.host.currentText())
        except errors.InvalidAddressError:
            return
        self.host.setEditText(host)
        self.port.setText(str(port))
