"""The window of the manual: contents and search on the left, a page on the right."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QObject, Qt
from PyQt5.QtGui import QKeyEvent, QKeySequence
from PyQt5.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QShortcut,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ui.looks import theme
from ui.looks.icons import icon
from ui.manual.contents import Contents
from ui.manual.pages import INDEX, Manual
from ui.manual.view import PageView
from ui.parts.fitting import fit

LEFT, WIDTH, HEIGHT = 304, 1120, 760
"""Pixels of the contents, and of the window, before the user changes them."""

_STEPS = {Qt.Key_Down: 1, Qt.Key_Up: -1, Qt.Key_Return: 0, Qt.Key_Enter: 0}


class ManualWindow(QWidget):
    """One window for the whole manual. It is independent of the main window, so that both can be read side by side.

    Attributes:
        search: the line to search in.
        contents: the pages in their order, or what the search found.
        page: the page in view.
        places: those visited, as ``(page, anchor)``; ``at`` is the index of the one in view.
    """

    def __init__(self, manual: Manual) -> None:
        super().__init__(None, Qt.Window)
        self._manual = manual
        self.places: list[tuple[str, str]] = []
        self.at = -1
        self.setWindowTitle(self.tr("Manual - Listening Post"))
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search the manual"))
        self.search.setAccessibleName(self.tr("Search the manual"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._fill)
        self.search.installEventFilter(self)
        self.contents = Contents()
        self.contents.currentRowChanged.connect(self._on_item)
        self.page = PageView(manual.folder)
        self.page.asked.connect(self._on_link)
        self._back = self._button("chevron-left", self.tr("Back"), QKeySequence.Back, -1)
        self._forward = self._button("chevron-right", self.tr("Forward"), QKeySequence.Forward, 1)
        for keys in (QKeySequence.Find, QKeySequence("Ctrl+K")):
            QShortcut(keys, self, self._search)
        for keys in (QKeySequence("Esc"), QKeySequence.Close):
            QShortcut(keys, self, self.hide)
        self._lay_out()
        self._fill()

    def _button(self, name: str, text: str, keys: QKeySequence.StandardKey, step: int) -> QToolButton:
        button = QToolButton()
        button.setIcon(icon(name))
        button.setAccessibleName(text)
        shown = QKeySequence(keys).toString(QKeySequence.NativeText)
        button.setToolTip(self.tr("{text} ({keys})").format(text=text, keys=shown))
        button.clicked.connect(lambda: self._go(step))
        QShortcut(keys, self, lambda: self._go(step))
        return button

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setContentsMargins(8, 8, 8, 8)
        line.setSpacing(4)
        line.addWidget(self._back)
        line.addWidget(self._forward)
        line.addWidget(self.search, 1)
        left = QWidget()
        left.setProperty("surface", "panel")
        left.setAttribute(Qt.WA_StyledBackground)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(self.contents, 1)
        halves = QSplitter()
        halves.setHandleWidth(1)
        halves.setChildrenCollapsible(False)
        halves.addWidget(left)
        halves.addWidget(self.page)
        halves.setStretchFactor(1, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(halves)
        self.resize(theme.scaled(WIDTH), theme.scaled(HEIGHT))
        fit(self)
        contents = min(theme.scaled(LEFT), self.width() // 3)
        halves.setSizes([contents, self.width() - contents])

    # -- where one is

    def open(self, place: str) -> None:
        """Show a page, or ``page#heading`` of one. What is not in the manual opens its beginning."""
        name, _, anchor = place.partition("#")
        name = name.removesuffix(".md") or (self.places[self.at][0] if self.places else INDEX)
        if name not in self._manual.pages:
            name, anchor = INDEX, ""
        if not self.places or self.places[self.at] != (name, anchor):
            self.places[self.at + 1 :] = [(name, anchor)]
            self.at += 1
        self._show()

    def _go(self, step: int) -> None:
        if 0 <= self.at + step < len(self.places):
            self.at += step
            self._show()

    def _show(self) -> None:
        name, anchor = self.places[self.at]
        self.page.show_page(self._manual.pages[name], anchor)
        self._back.setEnabled(self.at > 0)
        self._forward.setEnabled(self.at + 1 < len(self.places))
        if not self.search.text():
            self.contents.mark(name)

    def _on_link(self, target: str) -> None:
        if ":" not in target:  # the manual contacts nobody: links elsewhere are left alone
            self.open(target)

    # -- the list on the left

    def _fill(self) -> None:
        words = self.search.text()
        self.contents.blockSignals(True)
        self.contents.clear()
        if words.strip():
            self._add_found(words)
        else:
            self._add_all()
        self.contents.blockSignals(False)
        if not words and self.places:
            self.contents.mark(self.places[self.at][0])

    def _add_all(self) -> None:
        group = ""
        for page in self._manual.pages.values():
            if page.group != group:
                group = page.group
                self.contents.add_heading(group)
            self.contents.add(page.title, page.name)

    def _add_found(self, words: str) -> None:
        found = self._manual.find(words)
        if not found:
            self.contents.add_heading(self.tr("No page of the manual has all these words."))
        for one in found:
            section, page = one.section, self._manual.pages[one.section.page]
            title = page.title if section.title == page.title else f"{page.title} › {section.title}"
            self.contents.add(title, f"{section.page}#{section.anchor}", one.excerpt)

    def _on_item(self, row: int) -> None:
        place = self.contents.place_at(row)
        if place:
            self.open(place)

    # -- keys

    def _search(self) -> None:
        self.search.setFocus()
        self.search.selectAll()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and Down in the line move through the list, Return opens its first entry."""
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.KeyPress:
            step = _STEPS.get(Qt.Key(event.key()))
            if step is not None:
                self.contents.step(step)
                return True
        return super().eventFilter(watched, event)
