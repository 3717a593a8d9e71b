"""Shows one page of the manual in the colours and the fonts of the theme."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import Qt, QTimer, QUrl, QVariant, pyqtSignal, pyqtSlot
from PyQt5.QtGui import (
    QBrush,
    QColor,
    QImage,
    QResizeEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
)
from PyQt5.QtWidgets import QTextBrowser, QTextEdit, QWidget

from ui.looks import theme
from ui.manual.pages import Page, slug

MARGIN = 32
"""Pixels around the text."""

WIDEST = 760
"""Pixels of a picture at the most."""

LEAST = 200
"""Pixels of a picture at least, however narrow the window is."""

PAUSE = 120
"""Milliseconds after which pictures are fitted into another width."""

_SIZES = {1: 1.8, 2: 1.35, 3: 1.1}
"""The size of headings by their level, as multiples of that of text."""


class PageView(QTextBrowser):
    """A page as formatted text. It loads nothing but pictures of the manual's folder.

    Signals:
        asked: carries the target of a link that the user followed, as the page has it.
    """

    asked = pyqtSignal(str)

    def __init__(self, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder = folder.resolve()
        self._page: Page | None = None
        self._anchor, self._placed = "", 0  # the heading that was asked for, and where the page was scrolled for it
        self._fitted = 0
        self._fitting = QTimer(self)
        self._fitting.setSingleShot(True)
        self._fitting.setInterval(PAUSE)
        self._fitting.timeout.connect(self._fit)
        self.setOpenLinks(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setProperty("surface", "panel")
        self.setAccessibleName(self.tr("Page of the manual"))
        self.setDocument(QTextDocument(self))  # one of its own: that which Qt makes is deleted when another is set
        self.anchorClicked.connect(lambda url: self.asked.emit(url.toString()))
        self.verticalScrollBar().rangeChanged.connect(self._keep_place)
        theme.notifier.changed.connect(self._again)

    def show_page(self, page: Page, anchor: str = "") -> None:
        """Show a page, and the heading with this anchor at the top."""
        if page is not self._page:
            self._page = page
            self._format(page)
        self.scroll_to(anchor)

    def scroll_to(self, anchor: str) -> None:
        """Bring the heading with this anchor to the top and mark it; the beginning of the page if there is none."""
        self._anchor = anchor
        self._mark()
        self._scroll()

    def _heading(self) -> QTextBlock | None:
        block = self.document().begin()
        while self._anchor and block.isValid():
            if block.blockFormat().headingLevel() and slug(block.text()) == self._anchor:
                return block
            block = block.next()
        return None

    def _mark(self) -> None:
        """Mark the heading that was asked for: near the end of a page it cannot be at the top."""
        marks, heading = [], self._heading()
        if heading is not None:
            mark = QTextEdit.ExtraSelection()
            mark.cursor = QTextCursor(heading)
            self.setTextCursor(mark.cursor)  # when it is shown first, Qt scrolls to where that is
            mark.format.setBackground(QBrush(QColor(theme.current().selection)))
            mark.format.setProperty(QTextFormat.FullWidthSelection, True)
            marks.append(mark)
        self.setExtraSelections(marks)

    def _scroll(self) -> None:
        heading, place = self._heading(), 0
        if heading is not None:
            place = int(self.document().documentLayout().blockBoundingRect(heading).top()) - MARGIN // 2
        self.verticalScrollBar().setValue(max(0, place))
        self._placed = self.verticalScrollBar().value()

    def _keep_place(self, *_: object) -> None:
        """Lines break elsewhere, or more of the page is laid out: bring the heading to the top again.

        Unless the user has scrolled away from it.
        """
        bar = self.verticalScrollBar()
        if self._anchor and bar.value() == min(self._placed, bar.maximum()):
            self._scroll()

    def loadResource(self, kind: int, url: QUrl) -> QVariant:
        path = (self._folder / url.path()).resolve()
        if kind != QTextDocument.ImageResource or not path.is_relative_to(self._folder):
            return QVariant()
        dark = path.with_stem(f"{path.stem}-dark")
        image = QImage(str(dark if theme.current() is theme.DARK and dark.exists() else path))
        width = min(image.width(), self._room())
        pixels = round(width * self.devicePixelRatioF())
        if image.width() > pixels:
            image = image.scaledToWidth(pixels, Qt.SmoothTransformation)
        if not image.isNull():
            image.setDevicePixelRatio(image.width() / width)
        return QVariant(image)

    def _room(self) -> int:
        """Pixels that a picture may be wide."""
        return max(LEAST, min(WIDEST, self.viewport().width() - 2 * MARGIN))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the pictures into another width, once it stays as it is."""
        super().resizeEvent(event)
        if self._room() != self._fitted:
            self._fitting.start()

    def _fit(self) -> None:
        if self._room() != self._fitted:
            self._again()

    @pyqtSlot()
    def _again(self) -> None:
        if self._page is not None:
            at = self.verticalScrollBar().value()
            self._format(self._page)
            self._mark()
            self.verticalScrollBar().setValue(at)

    # -- formats: Qt's Markdown reader gives the structure, and no looks

    def _format(self, page: Page) -> None:
        self._fitted = self._room()
        # It is formatted before it is shown: Qt would lay out a table anew for each of its cells, which takes seconds.
        document = QTextDocument(self)
        document.setUndoRedoEnabled(False)
        document.setDocumentMargin(MARGIN)
        document.setDefaultFont(theme.ui_font())
        document.setMarkdown(page.markdown, QTextDocument.MarkdownDialectGitHub)
        now = theme.current()
        cursor = QTextCursor(document)
        cursor.beginEditBlock()
        block = document.begin()
        while block.isValid():
            _style(block, now)
            block = block.next()
        for frame in document.rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                _style_table(frame, now)
        cursor.endEditBlock()
        before = self.document()
        self.setExtraSelections([])  # their cursors are of the document before
        self.setDocument(document)
        before.deleteLater()
        self.moveCursor(QTextCursor.End)  # lays all of it out, so that the scroll bar knows how long it is
        self.moveCursor(QTextCursor.Start)


def _style(block: QTextBlock, now: theme.Theme) -> None:
    cursor = QTextCursor(block)
    layout, text = block.blockFormat(), QTextCharFormat()
    level = layout.headingLevel()
    is_code = _is_code(block)
    changed = QTextBlockFormat()
    if "\ufffc" in block.text():  # a picture, whose height would grow with that of its line
        changed.setBottomMargin(16)
    elif cursor.currentTable() is not None:
        changed.setLineHeight(130, QTextBlockFormat.ProportionalHeight)
        changed.setBottomMargin(0)
    elif is_code:
        changed.setBackground(QBrush(QColor(now.raised)))
        changed.setTopMargin(0)
        changed.setBottomMargin(0 if _is_code(block.next()) else 16)
        changed.setNonBreakableLines(False)
    else:
        changed.setLineHeight(140, QTextBlockFormat.ProportionalHeight)
        changed.setTopMargin(24 if level else 0)
        changed.setBottomMargin(8 if not block.textList() else 4)
    cursor.mergeBlockFormat(changed)
    cursor.select(QTextCursor.BlockUnderCursor)
    if level:
        text.setFontPointSize(theme.ui_font().pointSizeF() * _SIZES.get(level, 1.0))
        text.setFontWeight(600)
        text.setForeground(QBrush(QColor(now.text)))
        cursor.mergeCharFormat(text)
    _style_pieces(block, now, is_code)


def _is_code(block: QTextBlock) -> bool:
    layout = block.blockFormat()
    return layout.hasProperty(QTextBlockFormat.BlockCodeFence) or layout.hasProperty(QTextBlockFormat.BlockCodeLanguage)


def _style_pieces(block: QTextBlock, now: theme.Theme, is_code: bool) -> None:
    pieces = block.begin()
    mono = theme.mono_font()
    while not pieces.atEnd():
        piece = pieces.fragment()
        given, text = piece.charFormat(), QTextCharFormat()
        if is_code or given.fontFixedPitch():
            text.setFontFamilies([mono.family()])
            text.setFontPointSize(mono.pointSizeF())
            if not is_code:
                text.setBackground(QBrush(QColor(now.raised)))
        if given.isAnchor():
            text.setForeground(QBrush(QColor(now.accent)))
            text.setFontUnderline(False)
        cursor = QTextCursor(block)
        cursor.setPosition(piece.position())
        cursor.setPosition(piece.position() + piece.length(), QTextCursor.KeepAnchor)
        cursor.mergeCharFormat(text)
        pieces += 1  # type: ignore[operator, assignment]  # as PyQt5 has it; its stubs do not


def _style_table(table: QTextTable, now: theme.Theme) -> None:
    layout = table.format()
    layout.setBorder(1)
    layout.setBorderStyle(QTextFrameFormat.BorderStyle_Solid)
    layout.setBorderBrush(QBrush(QColor(now.line)))
    layout.setBorderCollapse(True)
    layout.setCellPadding(6)
    layout.setCellSpacing(0)
    layout.setTopMargin(8)
    layout.setBottomMargin(16)
    layout.setWidth(QTextLength(QTextLength.PercentageLength, 100))
    table.setFormat(layout)
    for column in range(table.columns()):
        cell = table.cellAt(0, column)
        looks = cell.format()
        looks.setBackground(QBrush(QColor(now.raised)))
        cell.setFormat(looks)
