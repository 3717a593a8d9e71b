"""The command palette: every action, service and pane, found by a few letters of its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from PyQt5.QtCore import QCoreApplication, QEvent, QObject, Qt
from PyQt5.QtGui import QBrush, QColor, QIcon, QKeyEvent
from PyQt5.QtWidgets import (
    QFrame,
    QHeaderView,
    QLineEdit,
    QMainWindow,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ui.looks import theme
from ui.looks.icons import painted
from ui.parts.labels import plain
from ui.settings import Settings

ROWS = 12
WIDTH = 680

_STEPS = (Qt.Key_Down, Qt.Key_Up, Qt.Key_PageDown, Qt.Key_PageUp)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the palette.

    Attributes:
        key: its identity; ``Settings.used`` remembers entries by it.
        where: the menu of an action, or the kind of other entries.
        run: called when it is chosen.
        keys: the shortcut, as text.
        why_not: why it cannot be done now; "" if it can, None if the reason is unknown.
        heavy: whether it has consequences, so that typing a name must not choose it: among entries that
            match equally well, it comes last.
    """

    key: str
    text: str
    where: str
    run: Callable[[], object]
    keys: str = ""
    why_not: str | None = ""
    icon: QIcon | None = None
    heavy: bool = False

    @property
    def possible(self) -> bool:
        return self.why_not == ""


def rank(typed: str, text: str) -> int | None:
    """How well ``text`` matches: 0 is best, None is no match.

    Each word that was typed must occur at the beginning of a word, inside a word, or as letters in this order.
    """
    text, total = text.lower(), 0
    for word in typed.lower().split():
        at = text.find(word)
        if at == 0:
            continue
        if f" {word}" in text:
            total += 1
        elif at > 0:
            total += 2
        elif _in_order(word, text):
            total += 4
        else:
            return None
    return total


def _in_order(letters: str, text: str) -> bool:
    rest = iter(text)
    return all(letter in rest for letter in letters)


def found(typed: str, entries: Iterable[Entry], used: Sequence[str]) -> list[Entry]:
    """The entries that match, the best first.

    Among equals, entries that are not heavy come first, then those used last, then those that can be done now.
    """
    ranked: list[tuple[int, bool, int, bool, int, Entry]] = []
    for order, entry in enumerate(entries):
        name = rank(typed, entry.text)
        fits = name if name is not None else rank(typed, f"{entry.text} {entry.where}")
        if fits is not None:
            recent = used.index(entry.key) if entry.key in used else len(used)
            ranked.append((fits, bool(typed) and entry.heavy, recent, not entry.possible, order, entry))
    return [one[-1] for one in sorted(ranked, key=lambda one: one[:-1])]


class Palette(QFrame):
    """A frame over the window. It has the keyboard focus while it is shown.

    It is a child widget, not a window, so that no window manager decides about its place and the focus.
    """

    def __init__(self, window: QWidget, entries: Callable[[], Iterable[Entry]], settings: Settings) -> None:
        super().__init__(window)
        self._entries, self._settings = entries, settings
        self._all: list[Entry] = []
        self._shown: list[Entry] = []
        self._before: QWidget | None = None
        self.setObjectName("palette")
        self.setProperty("surface", "raised")
        self.field = QLineEdit()
        self.field.setPlaceholderText(self.tr("A command, a service or a pane"))
        self.field.setAccessibleName(self.tr("Find a command"))
        self.field.setAccessibleDescription(self.tr("Type a few letters, choose with the arrow keys, and press Enter"))
        self.field.textChanged.connect(self._fill)
        self.field.installEventFilter(self)
        self.list = QTreeWidget()
        self.list.setObjectName("completions")
        self.list.setAccessibleName(self.tr("Commands"))
        self.list.setFocusPolicy(Qt.NoFocus)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setHeaderHidden(True)
        self.list.setColumnCount(3)
        self.list.header().setStretchLastSection(False)
        for at, mode in enumerate((QHeaderView.Stretch, QHeaderView.Fixed, QHeaderView.ResizeToContents)):
            self.list.header().setSectionResizeMode(at, mode)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(lambda _: self._run())
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(6)
        column.addWidget(self.field)
        column.addWidget(self.list)
        self.hide()

    def show_entries(self) -> None:
        """Show the palette with all entries, those used last at the top."""
        self._before = self.window().focusWidget()
        self._all = list(self._entries())
        self.field.clear()
        self._fill()
        self.show()
        self.raise_()
        self.field.setFocus(Qt.ShortcutFocusReason)

    def leave(self) -> None:
        """Hide the palette and give the focus back."""
        if self.isVisible():
            self.hide()
            if self._before is not None:
                self._before.setFocus(Qt.OtherFocusReason)

    def _fill(self) -> None:
        self._shown = found(self.field.text(), self._all, self._settings.used)
        self.list.clear()
        self.list.addTopLevelItems([_item(entry) for entry in self._shown] or [_nothing()])
        self.list.setCurrentItem(self.list.topLevelItem(0) if self._shown else None)
        self._place()

    def _place(self) -> None:
        window = self.window()
        rows = min(ROWS, max(1, len(self._shown)))
        self.list.setFixedHeight(self.list.sizeHintForRow(0) * rows + 2)
        width = min(WIDTH * theme.notifier.fonts.size // theme.POINTS, window.width() - 48)
        self.setFixedWidth(width)
        self.list.header().resizeSection(1, width * 3 // 10)
        self.adjustSize()
        below = window.centralWidget() if isinstance(window, QMainWindow) else None
        self.move((window.width() - width) // 2, below.y() + 8 if below is not None else 8)

    def _run(self) -> None:
        at = self.list.indexOfTopLevelItem(self.list.currentItem()) if self.list.currentItem() else -1
        if not 0 <= at < len(self._shown) or not self._shown[at].possible:
            return
        entry = self._shown[at]
        self.leave()
        self._settings.add_used(entry.key)
        entry.run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is not self.field:
            return False
        if event.type() == QEvent.FocusOut and self.isVisible():
            self.hide()
        elif isinstance(event, QKeyEvent) and event.type() == QEvent.KeyPress:
            return self._takes(event)
        return False

    def _takes(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key == Qt.Key_Escape:
            self.leave()
        elif key in (Qt.Key_Return, Qt.Key_Enter):
            self._run()
        elif key in _STEPS and self._shown:
            step = {Qt.Key_Down: 1, Qt.Key_Up: -1, Qt.Key_PageDown: ROWS - 1, Qt.Key_PageUp: 1 - ROWS}[Qt.Key(key)]
            at = self.list.indexOfTopLevelItem(self.list.currentItem()) + step
            last = len(self._shown) - 1
            at = at % (last + 1) if abs(step) == 1 else min(max(at, 0), last)
            self.list.setCurrentItem(self.list.topLevelItem(at))
            self.field.setAccessibleDescription(_spoken(self._shown[at]))
        elif key not in (Qt.Key_Tab, Qt.Key_Backtab):  # Tab and Backtab would move the focus out of the palette
            return False
        return True


def _item(entry: Entry) -> QTreeWidgetItem:
    item = QTreeWidgetItem([entry.text, entry.where if entry.possible else entry.why_not or _not_now(), entry.keys])
    colors = theme.current()
    item.setIcon(0, entry.icon or _blank())
    item.setToolTip(1, plain(item.text(1)))
    for at in range(0 if not entry.possible else 1, 3):
        item.setForeground(at, QBrush(QColor(colors.dim)))
    item.setData(0, Qt.AccessibleTextRole, _spoken(entry))
    return item


@cache
def _blank() -> QIcon:
    """An empty icon, so that all names are aligned."""
    return painted(lambda painter, rect: None)


def _nothing() -> QTreeWidgetItem:
    item = QTreeWidgetItem(
        [QCoreApplication.translate("Palette", "No command, service or pane has this name."), "", ""]
    )
    item.setForeground(0, QBrush(QColor(theme.current().dim)))
    item.setFlags(Qt.NoItemFlags)
    return item


def _not_now() -> str:
    return QCoreApplication.translate("Palette", "not now")


def _spoken(entry: Entry) -> str:
    words = [entry.text, entry.keys, "" if entry.possible else entry.why_not or _not_now()]
    return ", ".join(word for word in words if word)
