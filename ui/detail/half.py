"""One half of an exchange: what it is, its headers and its body, and links to its events."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QSplitter, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from app.events import Event
from app.http.contents import Content
from ui.detail.body_view import BodyView
from ui.detail.fact_sheet import FactSheet
from ui.detail.item_list import ItemList
from ui.detail.sides import Side
from ui.forms.form import set_property
from ui.parts.line import Line

SHARE = 0.45
"""The most that headers take of the height, beside a body."""


class Half(QWidget):
    """Shows a ``Side``.

    Signals:
        event_wanted: the id of an event that the user wants to see.
        save_body(Event), save_part(Event, int): the user wants to save the body of an event, or a part of it.
    """

    event_wanted = pyqtSignal(int)
    save_body = pyqtSignal(object)
    save_part = pyqtSignal(object, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._side = Side("")
        self._moved = False
        self.title = QLabel()
        self.title.setProperty("role", "heading")
        self.line = Line()
        self.line.setProperty("role", "")
        self.event_link, self.raw_link = self._link(), self._link()
        self.event_link.clicked.connect(lambda _=False: self._on_event_link())
        self.raw_link.clicked.connect(lambda _=False: self._on_raw_link())
        self.words = QLabel()
        self.words.setTextFormat(Qt.PlainText)
        self.words.setProperty("role", "dim")
        self.words.setAlignment(Qt.AlignCenter)
        self.words.setWordWrap(True)
        self.sheet = FactSheet()
        self.sheet.widest = 26
        self.sheet.setAccessibleName(self.tr("Headers"))
        titles = ["#", self.tr("Time"), self.tr("Rule"), self.tr("Bytes"), self.tr("Message")]
        self.items = ItemList(titles, right=(0, 2, 3), stretch=4)
        self.items.setAccessibleName(self.tr("Messages"))
        self.items.chosen.connect(self._on_item)
        self.items.itemActivated.connect(lambda *_: self._on_event_link())
        self.body = BodyView()
        self.body.notice.save.connect(self._save)
        self.body.save_button.clicked.connect(lambda _=False: self._save())
        self.body.save_part.connect(self._on_save_part)
        self._lay_out()

    def _link(self) -> QToolButton:
        button = QToolButton()
        button.setProperty("link", True)
        button.setFocusPolicy(Qt.TabFocus)
        return button

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(16, 6, 8, 2)
        bar.setSpacing(8)
        bar.addWidget(self.title)
        bar.addWidget(self.line, 1)
        for link in (self.raw_link, self.event_link):
            bar.addWidget(link)
        bar.addStrut(self.event_link.sizeHint().height())  # as high in both halves
        self.parts = QSplitter(Qt.Vertical)
        self.parts.setHandleWidth(1)
        self.parts.setChildrenCollapsible(False)
        for part in (self.sheet, self.items, self.body):
            self.parts.addWidget(part)
        self.parts.setStretchFactor(2, 1)
        self.parts.splitterMoved.connect(self._on_moved)
        self._stack = QStackedWidget()
        self._stack.setProperty("surface", "panel")
        self._stack.addWidget(self.parts)
        self._stack.addWidget(self.words)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(self._stack, 1)
        self.setFocusProxy(self.sheet)

    def show_side(self, side: Side) -> None:
        """Show another side, scrolled to its beginning."""
        self._side = side
        self.title.setText(side.heading)
        set_property(self.title, "role", side.way or "heading")
        self.line.setText(side.line)
        set_property(self.line, "role", side.role)
        self.words.setText(side.words)
        self._stack.setCurrentWidget(self.words if side.words else self.parts)
        self.sheet.show_facts(side.facts)
        self.sheet.setVisible(bool(side.facts))
        self.items.setVisible(bool(side.items))
        self.items.show_rows([item.cells for item in side.items], side.current)
        self.body.setVisible(side.shown is not None)
        if side.shown is not None:
            self.body.show_content(side.shown, side.name)
        self._show_links()
        self._share()

    def _show_links(self) -> None:
        side, event = self._side, self._event()
        self.body.save_button.setVisible(side.shown is not None and side.shown.noun == "body")
        self.body.save_button.setEnabled(side.shown is not None and not side.shown.problem)
        self.event_link.setVisible(event is not None)
        if event is not None:
            self.event_link.setText(self.tr("Event {id}").format(id=event.id))
            self.event_link.setToolTip(self.tr("Show this event in the list of all events"))
        self.raw_link.setVisible(side.raw is not None)
        if side.raw is not None:
            first, last = side.raw
            text = self.tr("Bytes {first}") if first == last else self.tr("Bytes {first}–{last}")
            self.raw_link.setText(text.format(first=first, last=last))
            self.raw_link.setToolTip(self.tr("Show the first event of the bytes as they passed"))

    def _event(self) -> Event | None:
        """The event of what is shown."""
        if self._side.items:
            row = self.items.row()
            return self._side.items[row].event if row >= 0 else None
        return self._side.event

    def _on_item(self, row: int) -> None:
        self.body.show_content(self._side.items[row].shown, self._side.name)
        self._show_links()

    def _on_event_link(self) -> None:
        event = self._event()
        if event is not None:
            self.event_wanted.emit(event.id)

    def _on_raw_link(self) -> None:
        if self._side.raw is not None:
            self.event_wanted.emit(self._side.raw[0])

    def _save(self) -> None:
        event = self._event()
        if event is not None:
            self.save_body.emit(event)

    def _on_save_part(self, number: int) -> None:
        event = self._event()
        if event is not None:
            self.save_part.emit(event, number)

    def content(self) -> Content:
        """What the body shows."""
        return self._side.shown.content if self._side.shown is not None else Content()

    def text(self) -> str:
        """All that is said here but the body."""
        facts = self.sheet.text() if self._side.facts else ""
        return f"{self._side.title}  {self._side.line}\n{facts}{self._side.words}".rstrip() + "\n"

    def selection(self) -> str:
        """The text that is selected in the headers or in the body."""
        return self.sheet.textCursor().selection().toPlainText() or self.body.selection()

    # -- sizes

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share()

    def _on_moved(self) -> None:
        self._moved = True

    def _share(self) -> None:
        """Give headers and messages the height that they need, as far as the body keeps half of it."""
        if self._moved or self._side.shown is None:
            return
        room = self.parts.height()
        rows = self.items.sizeHint().height() if self._side.items else 0
        needed = round(self.sheet.document().size().height()) + 10 if self._side.facts else 0
        most = round(room * SHARE)
        sheet, list_ = min(needed, most), min(rows, most)
        self.parts.setSizes([sheet, list_, max(0, room - sheet - list_)])
