"""The list of rules: keys, mouse, drag, and a context menu."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PyQt5.QtCore import QEvent, QItemSelectionModel, QModelIndex, QPoint, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QContextMenuEvent, QKeyEvent, QKeySequence, QMouseEvent
from PyQt5.QtWidgets import QAbstractItemView, QApplication, QListView, QMenu

from app.workspace.errors import RulesUnreadableError
from ui.actions.build import show
from ui.looks import theme
from ui.looks.icons import icon
from ui.workbench.rule_form.arrangement import translated
from ui.workbench.rules.delegate import GRIP, RuleDelegate
from ui.workbench.rules.model import RulesModel


class RulesView(QListView):
    """Rows that can be chosen, switched, moved, copied and taken away.

    Signals:
        chosen(int): another row is current; -1: none is.
        refused(str): what could not be done, and why.
        recount(list or None): the user wants these rows, or all, to be counted anew.
    """

    chosen = pyqtSignal(int)
    refused = pyqtSignal(str)
    recount = pyqtSignal(object)

    def __init__(self, rules: RulesModel) -> None:
        super().__init__()
        self.rules = rules
        self.painter_ = RuleDelegate(self)
        self.painter_.switchable = rules.kind.switchable
        self._pressed: QPoint | None = None
        self._dragged_from = self._dragged = -1
        self.setItemDelegate(self.painter_)
        self.setModel(rules)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setProperty("role", "rules")
        self.setAccessibleName(self._word("title"))
        theme.notifier.changed.connect(self._on_looks)
        self._keys: tuple[tuple[Any, Callable[[], None]], ...] = (
            (QKeySequence.Copy, self.copy),
            (QKeySequence.Paste, self.paste),
            (QKeySequence.Cut, self.cut),
            (QKeySequence.Delete, self.remove),
            (QKeySequence("Ctrl+D"), self.duplicate),
            (QKeySequence("Alt+Up"), lambda: self.move_by(-1)),
            (QKeySequence("Alt+Down"), lambda: self.move_by(1)),
            (QKeySequence("Space"), self.switch),
        )

    @pyqtSlot()
    def _on_looks(self, *_: object) -> None:
        """Paint in other colours; with other fonts the rows have another height."""
        self.scheduleDelayedItemsLayout()
        self.viewport().update()

    def _word(self, name: str) -> str:
        return translated(self.rules.kind.words[name])

    # -- what can be done

    def at(self) -> int:
        """The current row; -1: none."""
        return self.currentIndex().row()

    def choose(self, at: int) -> None:
        """Make a row current and the only one that is selected."""
        index = self.rules.index(max(0, min(at, self.rules.rowCount() - 1)))
        # Not setCurrentIndex(), which goes by the modifiers that are pressed now.
        self.selectionModel().setCurrentIndex(index, QItemSelectionModel.ClearAndSelect)

    def rows(self) -> list[int]:
        """The selected rows, in their order."""
        return sorted(index.row() for index in self.selectedIndexes())

    def add(self) -> None:
        """Add a rule behind the current one."""
        at = self.at() + 1 if self.at() >= 0 else self.rules.rowCount()
        self.rules.insert(at, [self.rules.kind.new], self._word("add"))
        self.choose(at)

    def duplicate(self) -> None:
        rows, tables = self.rows(), self.rules.tables()
        if rows:
            self.rules.insert(rows[-1] + 1, [tables[at] for at in rows], self._word("duplicate"))
            self.choose(rows[-1] + 1)

    def remove(self) -> None:
        rows = self.rows()
        self.rules.remove(rows, translated(self.rules.kind.words["remove"], len(rows)))
        if rows and self.rules.rowCount():
            self.choose(rows[0])

    def copy(self) -> None:
        """Copy the selected rules, as a workspace has them."""
        tables = self.rules.tables()
        if rows := self.rows():
            QApplication.clipboard().setText(self.rules.kind.write([tables[at] for at in rows]))

    def cut(self) -> None:
        self.copy()
        self.remove()

    def paste(self) -> None:
        """Add the rules that are on the clipboard, behind the current one."""
        try:
            tables = self.rules.kind.read(QApplication.clipboard().text())
        except RulesUnreadableError as e:
            self.refused.emit(str(e))
            return
        at = self.at() + 1 if self.at() >= 0 else self.rules.rowCount()
        self.rules.insert(at, tables, self._word("paste"))
        self.choose(at)

    def switch(self) -> None:
        for at in self.rows() if self.rules.kind.switchable else ():
            self.rules.switch(at)

    def move_by(self, by: int) -> None:
        at = self.at()
        if self.rules.move(at, at + by):
            self._moved(at + by)

    def _moved(self, to: int) -> None:
        self.choose(to)
        self.rules.edited.emit(self._word("move"))

    # -- keys and mouse

    def currentChanged(self, current: QModelIndex, previous: QModelIndex) -> None:
        super().currentChanged(current, previous)
        self.chosen.emit(current.row())

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.ShortcutOverride and isinstance(event, QKeyEvent) and self._does(event):
            event.accept()  # before the shortcuts of the window
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        does = self._does(event)
        if does is not None:
            does()
        else:
            super().keyPressEvent(event)

    def _does(self, event: QKeyEvent) -> Callable[[], None] | None:
        pressed = QKeySequence(event.key() | int(event.modifiers() & ~Qt.KeypadModifier))
        for keys, does in self._keys:
            if event.matches(keys) if isinstance(keys, QKeySequence.StandardKey) else keys == pressed:
                return does
        return None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.pos())
        if event.button() == Qt.LeftButton and index.isValid():
            if self.painter_.switch_rect(self.visualRect(index)).adjusted(-2, -6, 2, 6).contains(event.pos()):
                self.rules.switch(index.row())
                return
            self._pressed = event.pos()
            self._dragged_from = self._dragged = index.row()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None or not event.buttons() & Qt.LeftButton:
            over = self.indexAt(event.pos())
            on_grip = over.isValid() and event.pos().x() < GRIP
            self.viewport().setCursor(Qt.SizeVerCursor if on_grip else Qt.ArrowCursor)
            super().mouseMoveEvent(event)
            return
        if (event.pos() - self._pressed).manhattanLength() < QApplication.startDragDistance():
            return
        self.viewport().setCursor(Qt.ClosedHandCursor)
        y = max(0, min(event.pos().y(), self.viewport().height() - 1))
        index = self.indexAt(QPoint(1, y))
        to = index.row() if index.isValid() else self.rules.rowCount() - 1
        if self.rules.move(self._dragged, to):
            self._dragged = to
            self.scrollTo(self.rules.index(to))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        moved, self._pressed = self._dragged != self._dragged_from and self._pressed is not None, None
        self.viewport().setCursor(Qt.ArrowCursor)
        if moved:
            self._moved(self._dragged)
            return
        super().mouseReleaseEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        there = bool(self.rows())
        menu = QMenu(self)
        for words, picture, keys, does, needs in (
            (self._word("new"), "plus", "", self.add, False),
            (self.tr("Duplicate"), "duplicate", "Ctrl+D", self.duplicate, True),
            (self.tr("Copy as TOML"), "copy", "Ctrl+C", self.copy, True),
            (self.tr("Paste"), "", "Ctrl+V", self.paste, False),
            (self.tr("On or off"), "", "Space", self.switch, True),
            (self.tr("Move up"), "chevron-up", "Alt+Up", lambda: self.move_by(-1), True),
            (self.tr("Move down"), "chevron-down", "Alt+Down", lambda: self.move_by(1), True),
            (self.tr("Reset count"), "again", "", lambda: self.recount.emit(self.rows()), True),
            (self.tr("Reset all counts"), "", "", lambda: self.recount.emit(None), False),
            (self.tr("Remove"), "trash", "Del", self.remove, True),
        ):
            action = menu.addAction(words)
            if picture:
                action.setIcon(icon(picture))
            if keys:
                action.setShortcut(QKeySequence(keys))
            action.setEnabled(there or not needs)
            action.triggered.connect(lambda _=False, does=does: does())
        show(menu, event.globalPos())
