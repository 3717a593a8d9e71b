"""The dialog about a service of an outpost: it is added or changed there, once the outpost has agreed."""

from __future__ import annotations

from collections.abc import Collection

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QWidget

from app.outposts.following import Following
from app.services import address
from app.services.config import ServiceConfig
from app.services.errors import InvalidAddressError
from app.services.protocols import PROTOCOLS
from ui.forms.form import Words
from ui.services.dialog import ServiceDialog


class OutpostServiceDialog(ServiceDialog):
    """Adds a service to an outpost, or changes the one called ``instead`` there.

    Signals:
        given(object, bool): the settings of the service, without problems, and whether it is to start. The dialog stays
            until ``done`` or ``refused`` is called.
    """

    given = pyqtSignal(object, bool)

    def __init__(
        self,
        outpost: Following,
        config: ServiceConfig | None,
        parent: QWidget | None = None,
        *,
        instead: str = "",
        left_out: Collection[str] = (),
    ) -> None:
        """``left_out``: what the outpost has not told of its settings, and keeps."""
        self.outpost, self.instead, self._left_out = outpost, instead, left_out
        self._waits = False
        self.said = Words()
        super().__init__(config, [one for one in known(outpost) if one.name != instead], parent)
        if instead:
            self.name.setEnabled(False)
            self.port.setFocus()
            self.name.setToolTip(self.tr("To rename the service, add one with the new name and remove this one"))

    def title(self) -> str:
        names = {"name": self.instead, "outpost": self.outpost.name}
        if self.instead:
            return self.tr("Service “{name}” of {outpost}").format(**names)
        return self.tr("New service on {outpost}").format(**names)

    def lost(self) -> str:
        return self.tr("Discard your changes?") if self.instead else super().lost()

    def rules_words(self) -> str:
        return self.tr(
            "The rules do not change. To edit them, copy the service into your workspace, and back to the outpost."
        )

    def _build(self) -> None:
        super()._build()
        if self.instead:
            self.ok.setText(self.tr("&Apply"))
            self.ok.setToolTip(self.tr("Change the service there; if it is running, it restarts (Enter)"))
            self.buttons.removeButton(self.only)
        self.only.clicked.disconnect()
        self.only.clicked.connect(lambda: self._give(starts=False))

    def _lay_out(self) -> None:
        super()._lay_out()
        footer = self.buttons.parentWidget().layout()
        assert footer is not None
        footer.removeWidget(self.buttons)
        footer.addWidget(self.said)
        footer.addWidget(self.buttons)
        self._say_kept()

    def _say_kept(self) -> None:
        kept = ", ".join(self._left_out)
        words = self.tr("Not shown here, and kept as it is there: {kept}").format(kept=kept)
        self.said.say(words if kept else "", "dim")

    # -- asking the outpost

    def _accept_and_start(self) -> None:
        self._give(starts=True)

    def _give(self, *, starts: bool) -> None:
        self._waits = True
        self.said.say(self.tr("Asking {outpost}…").format(outpost=self.outpost.name), "dim")
        self._check()
        self.given.emit(self.config(), starts)

    def done(self, result: int) -> None:
        self._waits = False
        super().done(result)

    def refused(self, words: str) -> None:
        """The outpost has not done it; ``words`` say why."""
        self._waits = False
        self.said.say(words, "error")
        self._check()

    def _check(self) -> None:
        super()._check()
        if self._waits:
            self.ok.setEnabled(False)
            self.only.setEnabled(False)


def known(outpost: Following) -> list[ServiceConfig]:
    """What is known here of the services of an outpost: name, protocol, and where those listen that do."""
    found = []
    for one in outpost.services:
        try:
            host, port = address.parse(one.words) if one.status == "listening" else ("127.0.0.1", 0)
        except InvalidAddressError:
            host, port = "127.0.0.1", 0
        if one.protocol in PROTOCOLS:
            found.append(ServiceConfig(one.name, one.protocol, host, port, one.responder))
    return found
