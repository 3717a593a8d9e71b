"""The pages of services that are open, each in a tab beside the panes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from PyQt5.QtCore import QObject, Qt, pyqtSignal
from PyQt5.QtWidgets import QWidget

from app.capture.reading.reader import Reader
from app.post import Post
from app.services.config import ServiceConfig
from ui.bridge import Bridge
from ui.edits import Edits
from ui.faults.changes import FaultChanges
from ui.panes.tabs import PaneTabs
from ui.parts.neighbours import renamed
from ui.workbench.faults.dialog import edit_port_faults
from ui.workbench.page.service_page import ServicePage


class Workbench(QObject):
    """Opens the page of a service, and closes it when the service is gone.

    Attributes:
        pages: those that are open, by the name of the service.

    Signals:
        shown(): a page was brought into view.
        toggled(str): the service of that name is to be started or stopped.
        pending_changed(): what is not applied may be another now.
        said(str): what became of changes, as text for the user.
        hits_wanted(str, str): the events of a fault are to be shown: the names of the service and of the fault.
    """

    shown = pyqtSignal()
    toggled = pyqtSignal(str)
    pending_changed = pyqtSignal()
    said = pyqtSignal(str)
    hits_wanted = pyqtSignal(str, str)

    def __init__(self, post: Post, edits: Edits, bridge: Bridge, reader: Reader, panes: PaneTabs) -> None:
        super().__init__(panes)
        self._post, self._edits, self._bridge, self._reader, self._panes = post, edits, bridge, reader, panes
        self._faults = FaultChanges(edits, self, post.programs)
        self.pages: dict[str, ServicePage] = {}
        self._kept: dict[str, ServicePage] = {}
        self._names = list(post.services)
        panes.page_closed.connect(self._on_closed)
        bridge.services_changed.connect(self._on_services)

    def open(self, name: str) -> ServicePage | None:
        """Bring the page of a service into view; None where there is no such service."""
        if name not in self._post.services:
            return None
        page = self.pages.get(name)
        if page is None:
            page = self._kept.pop(name, None) or self._made(name)
            self.pages[name] = page
            self._panes.add_page(page, name, "pencil")
        self._panes.setCurrentWidget(page)
        self.shown.emit()
        page.setFocus(Qt.OtherFocusReason)
        return page

    def open_address(self, name: str) -> None:
        """Bring the page of a service into view, at its address."""
        page = self.open(name)
        if page is not None:
            page.show_address()

    def show_faults(self, name: str, at: int = -1) -> None:
        """Bring the page of a service into view, at its faults; ``at``: one of them, from 0.

        A port of a hosted program has no page: its faults are shown in a dialog.
        """
        if self._post.programs.port(name) is not None:
            self._show_port_faults(name, at)
            return
        page = self.open(name)
        if page is not None:
            page.show_fault(at)

    def _show_port_faults(self, name: str, at: int) -> None:
        config = self._faults.config(name)
        if config is None:
            return
        tables = [dict(table) for table in config.faults]
        window = self._panes.window()
        dialog = edit_port_faults(name, config.protocol, tables, window, partial(self._faults.put, name))
        if at >= 0:
            dialog.section.choose(at)

    def reset_counts(self, name: str) -> None:
        """Have a service count anew how often each of its rules has applied."""
        page, service = self._all().get(name), self._post.services.get(name)
        if page is not None:
            page.reset_counts()
        elif service is not None:
            service.reset_hits()

    def close(self, name: str) -> None:
        """Close a page. What it has that is not applied yet is there when it is opened again."""
        page = self.pages.pop(name, None)
        if page is None:
            return
        page.apply()
        self._panes.remove_page(page)
        if page.settled():
            page.let_go()
            page.deleteLater()
        else:
            page.hide()
            self._kept[name] = page
            words = self.tr("Changes to “{name}” are not applied. They are kept until you open its page again.")
            self.said.emit(words.format(name=name))

    def close_current(self) -> None:
        """Close the page that is in view, if one is."""
        page = self._panes.page()
        if isinstance(page, ServicePage):
            self.close(page.service)

    # -- what is not applied

    def pending(self) -> dict[str, bool]:
        """The services with changes that are not applied, whether their page is open or not.

        The value is whether they can be applied, by a restart; otherwise something is wrong with them.
        """
        return {name: page.valid for name, page in self._all().items() if not page.settled()}

    def waiting(self) -> dict[str, ServiceConfig]:
        """What services would be with their changes that wait for a restart, by the names that they have now."""
        return {name: page.waiting for name, page in self._all().items() if page.waiting is not None}

    def apply(self, *, restart: bool = False) -> None:
        """Apply what was typed, on all pages; with ``restart`` also what needs one."""
        for page in self._all().values():
            page.apply(restart=restart)

    def discard(self) -> None:
        """Forget what is not applied."""
        for name in self.pending():
            self._all()[name].discard()

    def _all(self) -> dict[str, ServicePage]:
        return self._kept | self.pages

    def add_rule(self, name: str, responder: str, rule: Mapping[str, Any]) -> bool:
        """Add a rule before all others of a service and show it; False where it has not this responder."""
        config = next((one for one in self._edits.state.services if one.name == name), None)
        if config is None or config.responder != responder:
            return False
        options = dict(config.options)
        options["rules"] = [dict(rule), *options.get("rules", ())]
        self._edits.replace(name, replace(config, options=options), self.tr("adding a rule"))
        page = self.open(name)
        if page is not None:
            page.show_rule(0)
        return True

    def _made(self, name: str) -> ServicePage:
        page = ServicePage(name, self._post, self._edits, self._bridge, self._reader)
        page.left.connect(self._leave)
        page.renamed.connect(self._on_renamed)
        page.toggled.connect(self.toggled)
        page.pending_changed.connect(self.pending_changed)
        page.hits_wanted.connect(self.hits_wanted)
        return page

    def _leave(self) -> None:
        self._panes.setCurrentWidget(self._panes.current())
        self._panes.current().setFocus()

    def _on_closed(self, page: QWidget) -> None:
        if isinstance(page, ServicePage):
            self.close(page.service)

    def _on_renamed(self, old: str, new: str) -> None:
        page = self.pages.pop(old, None)
        if page is not None:
            self.pages[new] = page
            self._panes.name_page(page, new)

    def _on_services(self) -> None:
        """Close the pages of services that are gone; follow one that has another name now."""
        names, before = list(self._post.services), self._names
        self._names = names
        called = renamed(before, names)
        for name in list(self.pages):
            if name in names:
                continue
            page = self.pages[name]
            if called.get(name) is not None:
                page.service = called[name]
                self._on_renamed(name, called[name])
            elif all(one.name != name for one in self._edits.state.services):
                del self.pages[name]
                self._panes.remove_page(page)
                page.let_go()
                page.deleteLater()
        for name in list(self._kept):
            if name not in names:
                page = self._kept.pop(name)
                page.let_go()
                page.deleteLater()
