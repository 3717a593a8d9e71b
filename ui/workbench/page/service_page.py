"""The page of one service: all that can be set of it, applied while it runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PyQt5.QtCore import QEvent, QSize, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QApplication, QVBoxLayout, QWidget

from app.capture.reading.reader import Reader
from app.events import Event
from app.post import Post
from app.services.config import ServiceConfig
from app.services.service import Service
from app.status import Failed, Held, Status, Stopped, Waiting
from ui.bridge import Bridge
from ui.edits import Edits
from ui.forms.form import tab_through
from ui.parts.notice_bar import NoticeBar
from ui.services import checks
from ui.services.rows import shown_status
from ui.workbench.page.applying import live_part, mistakes_of
from ui.workbench.page.forms import PageForms
from ui.workbench.page.header import ServiceHeader
from ui.workbench.page.merging import merged
from ui.workbench.page.restart_bar import RestartBar
from ui.workbench.page.sections import Sections
from ui.workbench.rules.section import RulesSection
from ui.workbench.rules.trying import Trying

LOWEST = 40
"""Pixels of height that a page asks for at least. Its tabs would give more to the panes, too, which can be lower."""

PAUSE = 300
"""Milliseconds without a key after which what was typed is applied."""


class ServicePage(QWidget):
    """Forms of everything, a header, and what is not applied yet.

    What is edited is checked at once, and applied after a pause, or when the keyboard goes elsewhere. While anything
    is wrong, nothing is applied: the service goes on with the last good state.

    Attributes:
        service: the name of the service.
        header, status, restart, forms: its parts.
        waiting: the configuration with what is not applied, as it was last without a mistake; None: all is applied.

    Signals:
        left(): the user wants to go back to the panes.
        renamed(str, str): the old and the new name.
        toggled(str): the service of that name is to be started or stopped.
        pending_changed(): ``settled``, or what is not applied, is another now.
        hits_wanted(str, str): the events of a fault of the service are to be shown: both names.
    """

    left = pyqtSignal()
    renamed = pyqtSignal(str, str)
    toggled = pyqtSignal(str)
    pending_changed = pyqtSignal()
    hits_wanted = pyqtSignal(str, str)

    def __init__(self, name: str, post: Post, edits: Edits, bridge: Bridge, reader: Reader) -> None:
        super().__init__()
        self.service = name
        self._post, self._edits = post, edits
        service = post.services[name]
        self._served = service.config
        self._variables = edits.state.variables
        self._doing = ("", "")
        self._before, self._step = service.config, -1
        self._mistakes = 0
        self._pending: ServiceConfig | None = None
        self.waiting: ServiceConfig | None = None
        self.header = ServiceHeader(service)
        self.status = NoticeBar("bad", closable=False)
        self.restart = RestartBar()
        self.forms = PageForms(self.header.sections, reader, self._service, lambda: edits.state.variables)
        self._refused = NoticeBar("warning", closable=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.header, self.status, self.restart, self._refused):
            column.addWidget(part)
        column.addWidget(self.forms, 1)
        self._trying: Trying | None = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE)
        self._pause.timeout.connect(self.apply)
        self._build(self._served)
        self._connect(bridge)
        self._show_status()

    def _connect(self, bridge: Bridge) -> None:
        self.header.name.textEdited.connect(lambda _: self._check())
        self.header.name.editingFinished.connect(self.apply)
        self.header.toggled.connect(lambda: self.toggled.emit(self.service))
        self.forms.edited.connect(self._on_edit)
        self.forms.responder_changed.connect(self._on_responder)
        self.forms.refused.connect(self._refused.say)
        self.forms.hits_wanted.connect(self._on_hits_wanted)
        self.forms.recount.connect(self.reset_counts)
        self.header.address_clicked.connect(self.show_address)
        self.header.later.clicked.connect(self.show_mistake)
        self.restart.applied.connect(lambda: self.apply(restart=True))
        self.restart.discarded.connect(self.discard)
        bridge.status_changed.connect(self._on_status)
        bridge.services_changed.connect(self._on_services)
        self._edits.changed.connect(self._on_edits)
        bridge.ticked.connect(self._show_hits)  # no lambda: Qt would call it when the page is gone
        bridge.faults_changed.connect(self._show_fault_hits)
        bridge.measured.connect(self._show_fault_hits)
        bridge.measured.connect(self._show_upstreams)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._on_focus)

    # -- the forms

    @property
    def rules(self) -> RulesSection | None:
        """The section of the rules; None where the responder has none."""
        return self.forms.rules

    @property
    def sections(self) -> Sections:
        """The other sections."""
        return self.forms.sections

    def _build(self, config: ServiceConfig) -> None:
        """Make all forms for ``config``."""
        before = self.rules
        self.forms.build(config)
        if self.rules is not before or self._trying is None:
            if self._trying is not None:
                self._trying.let_go()
            service = self._service
            self._trying = Trying(self.rules, service, self._tried) if self.rules is not None else None
        tab_through(*self.header.order(), *self.forms.order())
        self.setFocusProxy(self.rules if self.rules is not None else self.header.sections)
        self._check()

    def _service(self) -> Service | None:
        return self._post.services.get(self.service)

    def config(self) -> ServiceConfig:
        """The configuration that the forms have; it may be wrong."""
        return self.forms.config(self.header.name.text().strip())

    def _others(self) -> list[ServiceConfig]:
        return [config for config in self._edits.state.services if config.name != self.service]

    def _check(self) -> ServiceConfig:
        """Show what is wrong, at its field and in sum. Returns what the forms have."""
        config, others = self.config(), self._others()
        name = checks.name_problem(config.name, others)
        self.header.show_name(config.name, name or "")
        self._mistakes = self.forms.check(config, others) + bool(name)
        for index, wrong in enumerate(self.forms.is_wrong()):
            self.header.set_wrong(index, wrong)
        self._say_later(config)
        return config

    def _say_later(self, config: ServiceConfig) -> None:
        service = self._service()
        later = self.tr("Not applied yet: %n mistake(s)", "", self._mistakes) if self._mistakes else ""
        self.header.say_later(later)
        waits = not self._mistakes and service is not None and service.running
        waits = waits and config != live_part(self._served, config)
        self.restart.say(service.accepted if waits and service is not None else -1)
        pending = None if not self._mistakes and config == self._served else config
        if not self._mistakes:
            self.waiting = pending
        if pending != self._pending:
            self._pending = pending
            self.pending_changed.emit()

    def show_mistake(self) -> None:
        """Go to the first mistake."""
        if not self.forms.show_mistake(self.config()):
            self.header.name.setFocus(Qt.OtherFocusReason)

    def show_section(self, key: str) -> None:
        """Show a section by its key, as ``PageForms`` has it."""
        self.forms.show_section(key)

    def show_address(self) -> None:
        """Show the address, with the keyboard at its port."""
        self.show_section("socket")
        port = self.sections.address.port
        port.setFocus(Qt.OtherFocusReason)
        port.selectAll()

    def show_rule(self, at: int) -> None:
        """Show a rule, as the workspace has it now."""
        self._on_services()
        self.show_section("rules")
        if self.rules is not None:
            self.rules.choose(at)

    def show_fault(self, at: int) -> None:
        """Show the faults, and the one with this number from 0, as the workspace has it now; -1: none of them."""
        self._on_services()
        self.show_section("faults")
        if self.forms.faults is not None:
            self.forms.faults.choose(at)
            self.forms.faults.setFocus(Qt.OtherFocusReason)

    def _on_hits_wanted(self, fault: str) -> None:
        self.hits_wanted.emit(self.service, fault)

    def try_event(self, event: Event) -> None:
        """Try a request or message of the capture on the rules, and show all that comes of it."""
        if self.rules is not None:
            self.show_section("rules")
            self.rules.bar.show_answer.setChecked(True)
            self.rules.bar.captured.pick(event)

    # -- applying

    def _on_edit(self, words: str, key: str = "") -> None:
        self._doing = (words, f"{self.service} {key}" if key else "")
        self._check()
        if key:
            self._pause.start()
        else:
            self.apply()

    def _on_responder(self, name: str) -> None:
        """Make the forms of another responder; what it takes is not applied before it is valid."""
        self._build(replace(self.config(), responder=name, options=dict(checks.FIRST_OPTIONS.get(name, {}))))
        self._doing = (self.tr("responder of “{name}”").format(name=self.service), "")
        self.show_section("answer")
        self.apply()

    def _on_focus(self, old: QWidget | None, new: QWidget | None) -> None:
        if self._pause.isActive() and old is not None and self.isAncestorOf(old):
            self.apply()

    def apply(self, *, restart: bool = False) -> None:
        """Apply what is valid: at once what a running service takes; with ``restart`` all."""
        self._pause.stop()
        config, service = self._check(), self._service()
        if service is None or self._mistakes:
            return
        whole = restart or not service.running
        applied = config if whole else live_part(self._served, config)
        if applied != self._served:
            words, merge = self._doing
            name, before, self._served = self.service, self._served, applied
            if applied.name != name:
                self.service = applied.name
                self.renamed.emit(name, applied.name)
            self._before = before
            self._edits.replace(name, applied, words, merge)
            self._step = self._edits.stack.index()
        self._say_later(config)
        if self._trying is not None:
            self._trying.again()

    def _tried(self) -> dict[str, Any] | None:
        """The options to try; None while something is wrong with them."""
        config = self.config()
        return None if mistakes_of(config).get("options") else dict(config.options)

    def let_go(self) -> None:
        """Do nothing more: the page is about to be deleted."""
        self._pause.stop()
        if self._trying is not None:
            self._trying.let_go()

    def settled(self) -> bool:
        """Whether all that the forms have is applied."""
        return not self._mistakes and self.config() == self._served

    @property
    def valid(self) -> bool:
        """Whether all that the forms have can be applied."""
        return not self._mistakes

    def discard(self) -> None:
        """Forget what is not applied."""
        self._load(self._served, self._served)

    # -- what happens elsewhere

    def _on_edits(self) -> None:
        """A change that the service refused leaves it as it was: say so, and keep what is in the forms."""
        if self._edits.state.variables != self._variables:  # which templates of rules may have
            self._variables = self._edits.state.variables
            self._check()
            if self._trying is not None:
                self._trying.again()
        service = self._service()
        refused = service is not None and service.config == self._before != self._served
        if refused and self._edits.state == self._post.state() and self._edits.stack.index() == self._step:
            self._served = self._before
            self._refused.say(self.tr("The service refused the last change. Its events say why."))
            self._say_later(self.config())

    def _on_services(self) -> None:
        config = next((one for one in self._edits.state.services if one.name == self.service), None)
        if config is not None and config != self._served:
            self._load(config, merged(self._served, self.config(), config))
        self._show_status()

    def _load(self, config: ServiceConfig, shown: ServiceConfig) -> None:
        """Show another configuration: it was changed elsewhere, or a change was undone.

        ``shown`` is ``config`` with what is not applied yet.
        """
        self._served, self.waiting = config, None
        if shown == config:
            self._pause.stop()
        had_focus = self.isAncestorOf(QApplication.focusWidget())
        if self.header.name.text().strip() != shown.name:
            self.header.name.setText(shown.name)
            self.header.name.home(False)
        self._build(shown)
        if had_focus and not self.isAncestorOf(QApplication.focusWidget()):
            self.setFocus(Qt.OtherFocusReason)

    def _on_status(self, service: Service) -> None:
        if service.config.name == self.service:
            self._show_status()
            self._check()

    def _show_status(self) -> None:
        service = self._service()
        if service is None:
            return
        self.header.show_service(service)
        self.status.say(self._words(shown_status(service)))
        self._show_hits()
        self._show_upstreams()

    def _words(self, status: Status) -> str:
        if isinstance(status, Failed):
            return status.reason
        if isinstance(status, Waiting):
            return self.tr("{reason} The service is tried again automatically.").format(reason=status.reason)
        return (
            self.tr("Waiting until you trust it: {asks}").format(asks=status.asks) if isinstance(status, Held) else ""
        )

    def _show_hits(self, *_: object) -> None:
        service = self._service()
        if self.rules is None or service is None or not self.isVisible():
            return
        self.rules.rules.set_hits(() if isinstance(service.status, Stopped) else service.hits())

    def _show_upstreams(self) -> None:
        service, view = self._service(), self.sections.upstreams
        if view is not None and service is not None and self.isVisible():
            view.show_members(service.upstreams())

    def _show_fault_hits(self) -> None:
        section = self.forms.faults
        if section is not None and section.isVisible():
            section.refresh()

    def reset_counts(self, at: list[int] | None = None) -> None:
        """Have the service count anew how often rules have applied: those with these indexes, or all."""
        service = self._service()
        if service is not None:
            service.reset_hits(at)
            self._show_hits()

    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), LOWEST)

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self._show_hits()

    # -- keys

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.ShortcutOverride and isinstance(event, QKeyEvent) and _applies(event):
            event.accept()  # before the shortcut of the window
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key_Escape:
            self.left.emit()
        elif _applies(event):
            self.apply(restart=not self.restart.isHidden())
        else:
            super().keyPressEvent(event)


def _applies(event: QKeyEvent) -> bool:
    return event.key() in (Qt.Key_Return, Qt.Key_Enter) and bool(event.modifiers() & Qt.ControlModifier)
