"""Everything about one event, in tabs."""

from __future__ import annotations

import re
from pathlib import Path

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QStackedWidget,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app import events
from app.events import Event
from ui.detail_pages import HexPage, OverviewPage, Page, TextPage, TracebackPage
from ui.icons import icon


class DetailPane(QWidget):
    """One event: overview, text, hex, and for a failure its traceback.

    Attributes:
        _used: the key of the page that was last looked at, for failures (True) and for all other
            events (False): who goes through failures wants their tracebacks again and again.
        _stale: pages that do not show the event yet; each is filled when it is looked at.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._event: Event | None = None
        self._used = {True: TracebackPage.key, False: OverviewPage.key}
        self._stale: set[Page] = set()
        self.overview, self.text, self.hex, self.traceback = OverviewPage(), TextPage(), HexPage(), TracebackPage(self)
        self.traceback.hide()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for page, title in (
            (self.overview, self.tr("Overview")),
            (self.text, self.tr("Text")),
            (self.hex, self.tr("Hex")),
        ):
            self.tabs.addTab(page, title)
        self.tabs.setCornerWidget(self._corner())
        self.tabs.currentChanged.connect(self._on_tab)
        for notice in (self.text.notice, self.hex.notice):
            notice.save.connect(self.save_payload)
        self._lay_out()
        self.show_event(None)

    def event_shown(self) -> Event | None:
        return self._event

    def show_event(self, event: Event | None) -> None:
        """Show another event on the page that was last used; None: a hint of what will be here."""
        self._event = event
        self._say("")
        self.save_button.setEnabled(event is not None and event.payload is not None)
        self._whole.setCurrentWidget(self._hint if event is None else self.tabs)
        if event is None:
            return
        failure = event.kind == events.FAILURE
        self.tabs.blockSignals(True)
        self._offer_traceback(failure)
        self._stale = set(self._pages())
        self.tabs.setCurrentWidget(next(page for page in self._pages() if page.key == self._used[failure]))
        self.tabs.blockSignals(False)
        self._fill()

    def copy(self) -> None:
        """Put what the current tab shows, or its selection, on the clipboard."""
        page, clipboard = self.tabs.currentWidget(), QGuiApplication.clipboard()
        if self._event is not None and isinstance(page, Page) and clipboard is not None:
            clipboard.setText(page.copied())

    def save_payload(self) -> None:
        """Ask where to, and save the whole payload there."""
        event = self._event
        if event is None or event.payload is None:
            return
        payload = event.payload
        dialog = QFileDialog(self, self.tr("Save payload"))
        dialog.setAcceptMode(QFileDialog.AcceptSave)
        dialog.selectFile(f"{re.sub(r'[^A-Za-z0-9_-]+', '-', event.service) or 'payload'}-{event.id}.bin")
        dialog.setAttribute(Qt.WA_DeleteOnClose)
        # The payload of now: another event may be shown by the time a name is chosen.
        dialog.fileSelected.connect(lambda path: self.write_payload(payload, Path(path)))
        dialog.open()

    def write_payload(self, payload: bytes, path: Path) -> None:
        """Write bytes to a file, and say below the tabs if that did not work."""
        try:
            path.write_bytes(payload)
        except OSError as e:
            self._say(self.tr("Cannot save to {path}: {reason}.").format(path=path, reason=e.strerror or e))
        else:
            self._say("")

    # -- inside

    def _pages(self) -> list[Page]:
        pages = (self.tabs.widget(index) for index in range(self.tabs.count()))
        return [page for page in pages if isinstance(page, Page)]

    def _offer_traceback(self, wanted: bool) -> None:
        index = self.tabs.indexOf(self.traceback)
        if wanted and index < 0:
            self.tabs.insertTab(0, self.traceback, self.tr("Traceback"))
        elif not wanted and index >= 0:
            self.tabs.removeTab(index)

    def _on_tab(self) -> None:
        page = self.tabs.currentWidget()
        if self._event is not None and isinstance(page, Page):
            self._used[self._event.kind == events.FAILURE] = page.key
        self._fill()

    def _fill(self) -> None:
        page = self.tabs.currentWidget()
        self.wrap_button.setVisible(page is self.text)
        if self._event is not None and isinstance(page, Page) and page in self._stale:
            self._stale.discard(page)
            page.show_event(self._event)

    def _say(self, problem: str) -> None:
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))

    def _corner(self) -> QWidget:
        self.wrap_button = _button("", self.tr("Wrap"), self.tr("Break long lines at the edge of the window"))
        self.wrap_button.setCheckable(True)
        self.wrap_button.setChecked(True)
        self.wrap_button.toggled.connect(self.text.set_wrapping)
        self.copy_button = _button("copy", self.tr("Copy"), self.tr("Copy the selection, or all that this tab shows"))
        self.copy_button.clicked.connect(self.copy)
        self.save_button = _button("save", self.tr("Save payload…"), self.tr("Save the bytes of this event to a file"))
        self.save_button.clicked.connect(self.save_payload)
        corner = QFrame()
        corner.setProperty("surface", "window")
        layout = QHBoxLayout(corner)
        layout.setContentsMargins(8, 0, 8, 0)
        layout.setSpacing(4)
        for button in (self.wrap_button, self.copy_button, self.save_button):
            layout.addWidget(button)
        return corner

    def _lay_out(self) -> None:
        self._hint = QLabel(self.tr("Select an event to see all of it"))
        self._hint.setProperty("role", "dim")
        self._hint.setAlignment(Qt.AlignCenter)
        self._problem = QLabel()
        self._problem.setTextFormat(Qt.PlainText)
        self._problem.setProperty("role", "error")
        self._problem.setWordWrap(True)
        self._problem.setContentsMargins(16, 4, 16, 4)
        self._problem.setTextInteractionFlags(Qt.TextSelectableByMouse)
        self._whole = QStackedWidget()
        self._whole.setProperty("surface", "panel")
        self._whole.addWidget(self._hint)
        self._whole.addWidget(self.tabs)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._whole, 1)
        layout.addWidget(self._problem)


def _button(name: str, text: str, tip: str) -> QToolButton:
    button = QToolButton()
    # Qt leaves no room of its own between an icon and its text.
    button.setText(f" {text}" if name else text)
    button.setAccessibleName(text)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.TabFocus)
    if name:
        button.setIcon(icon(name, "dim"))
        button.setIconSize(QSize(16, 16))
        button.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
    return button
