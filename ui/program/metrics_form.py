"""The settings of metrics: whether they are served, and where."""

from __future__ import annotations

from PyQt5.QtWidgets import QCheckBox, QLineEdit, QWidget
from twisted.internet.defer import Deferred

from app.errors import PostError
from app.metrics.serving import DEFAULT, MetricsServer
from app.services import address
from ui.forms.form import Form, tell
from ui.settings import Settings


class MetricsForm(Form):
    """Two rows. What is changed holds at once."""

    def __init__(self, settings: Settings, server: MetricsServer, parent: QWidget) -> None:
        super().__init__()
        self._settings, self._server = settings, server
        self.serves = QCheckBox(self.tr("Serve /metrics and /healthz"))
        self.serves.setChecked(bool(settings.metrics))
        self.address = QLineEdit(settings.metrics_address)
        self.address.setProperty("role", "mono")
        self.address.setPlaceholderText(DEFAULT)
        self.add(self.tr("For Pr&ometheus"), self.serves).say(
            self.tr("Figures of the services, the capture and the program; never the addresses of peers.")
        )
        self._words = self.add(self.tr("Add&ress"), self.address)
        self.serves.toggled.connect(self._on_serves)
        self.address.editingFinished.connect(self._on_address)
        self.address.textChanged.connect(lambda: self._say())
        stop = server.changed.connect(lambda _: self._say())
        parent.destroyed.connect(lambda: stop())
        self._say()

    def _on_serves(self, on: bool) -> None:
        self._settings.serves_metrics = on
        self._use()

    def _on_address(self) -> None:
        where = self.address.text().strip()
        if self._problem() is None and where != self._settings.metrics_address:
            self._settings.metrics_address = where
            self._use()

    def _use(self) -> None:
        Deferred.fromCoroutine(self._server.use(self._settings.metrics))

    def _problem(self) -> str | None:
        """What is wrong with the address that stands there."""
        try:
            address.parse(self.address.text())
        except PostError as e:
            return str(e)
        return None

    def _say(self) -> None:
        problem = self._problem()
        stands = problem is None and self.address.text().strip() == self._settings.metrics_address
        if stands:
            problem = self._server.problem or None
        served = self._server.address if stands else ""
        words = self.tr("Served at http://{address}/metrics").format(address=served) if served else ""
        tell(
            self.address,
            self._words,
            problem,
            words or self.tr("Address and port on this machine, such as 127.0.0.1:9464"),
        )
        if problem is None and stands and address.is_exposed(address.parse(self.address.text())[0]):
            self._words.say(self.tr("⚠ Others on the network will be able to read the metrics."), "warning")
