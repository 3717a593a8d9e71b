"""The list of saved messages of the workspace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import count

from PyQt5.QtCore import QEvent, QPoint, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QMenu, QVBoxLayout, QWidget

from app.workspace.message import Message
from app.workspace.service_checks import MAX_NAME
from ui.edits import Edits
from ui.looks.icons import icon
from ui.parts.labels import plain
from ui.parts.small_button import small_button


class SavedMessages(QWidget):
    """Shows the saved messages of the workspace, and changes them.

    Signals:
        chosen(object): the user selected a ``Message`` to put into the form.
        save_requested(): the user wants to save the form's message: call ``save`` with it.
    """

    chosen = pyqtSignal(object)
    save_requested = pyqtSignal()

    def __init__(self, edits: Edits, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._edits = edits
        self._shown: tuple[Message, ...] | None = None
        heading = QLabel(self.tr("SAVED"))
        heading.setProperty("role", "heading")
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Saved messages"))
        self.list.setUniformItemSizes(True)
        self.list.setContextMenuPolicy(Qt.CustomContextMenu)
        self.list.setEditTriggers(QListWidget.EditKeyPressed)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.hint = QLabel(self.tr("None yet. Saved messages are kept in the workspace."))
        self.hint.setProperty("role", "dim")
        self.hint.setWordWrap(True)
        self.hint.setAlignment(Qt.AlignTop)
        self.hint.setContentsMargins(0, 4, 0, 0)
        self.save_button = small_button("plus", self.tr("Save this message"))
        self.update_button = small_button("save", self.tr("Replace the selected message by this one"))
        self.remove_button = small_button("trash", self.tr("Remove the selected message"))
        top = QHBoxLayout()
        top.setSpacing(2)
        top.addWidget(heading)
        top.addStretch()
        for button in (self.save_button, self.update_button, self.remove_button):
            top.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.hint)
        column.addWidget(self.list, 1)
        column.addStretch(0)
        self.save_button.clicked.connect(self.save_requested)
        self.remove_button.clicked.connect(self.remove)
        self.list.itemClicked.connect(lambda _: self._choose())
        self.list.itemActivated.connect(lambda _: self._choose())
        self.list.itemChanged.connect(self._on_renamed)
        self.list.currentRowChanged.connect(lambda _: self._enable())
        self.list.customContextMenuRequested.connect(self._menu)
        self.list.installEventFilter(self)
        edits.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the messages of the workspace, which may be another one."""
        messages = self._messages
        if self._shown is messages:
            return  # do not interrupt the user who types a name
        self._shown = messages
        row = self.list.currentRow()
        self.list.blockSignals(True)
        self.list.clear()
        for message in messages:
            item = QListWidgetItem(message.name)
            item.setFlags(item.flags() | Qt.ItemIsEditable)
            item.setToolTip(plain(message.url))
            self.list.addItem(item)
        self.list.setCurrentRow(min(row, self.list.count() - 1))
        self.list.blockSignals(False)
        self.list.setVisible(bool(messages))
        self.hint.setVisible(not messages)
        self._enable()

    def save(self, message: Message) -> None:
        """Add a message under an unused name, and let the user edit the name."""
        message = replace(message, name=self._unused(message.name, None))
        self._set((*self._messages, message), self.tr("adding message “{name}”"), message)
        self.list.setCurrentRow(self.list.count() - 1)
        self.list.editItem(self.list.currentItem())

    def update_current(self, message: Message) -> None:
        """Replace the selected message by this one; the name stays."""
        row = self.list.currentRow()
        if row >= 0:
            messages = list(self._messages)
            messages[row] = replace(message, name=messages[row].name)
            self._set(messages, self.tr("changing message “{name}”"), messages[row])

    def remove(self) -> None:
        row = self.list.currentRow()
        if row >= 0:
            messages = list(self._messages)
            removed = messages.pop(row)
            self._set(messages, self.tr("removing message “{name}”"), removed)

    @property
    def _messages(self) -> tuple[Message, ...]:
        return self._edits.state.messages

    def _set(self, messages: Iterable[Message], text: str, changed: Message) -> None:
        self._edits.set_messages(messages, text.format(name=changed.name))

    def _on_renamed(self, item: QListWidgetItem) -> None:
        row = self.list.row(item)
        messages = list(self._messages)
        name = self._unused(item.text(), row)
        if name != messages[row].name:
            before, messages[row] = messages[row], replace(messages[row], name=name)
            self._set(messages, self.tr("renaming message “{name}”"), before)
        elif name != item.text():
            item.setText(name)

    def _unused(self, text: str, row: int | None) -> str:
        """A name made of ``text`` that no message has, except the one in ``row``."""
        name = "".join(c for c in text if c.isprintable()).strip()[: MAX_NAME - 6] or "message"
        taken = {message.name for i, message in enumerate(self._messages) if i != row}
        return next(new for n in count(1) if (new := name if n == 1 else f"{name} {n}") not in taken)

    def _choose(self) -> None:
        row = self.list.currentRow()
        if row >= 0:
            self.chosen.emit(self._messages[row])

    def _enable(self) -> None:
        for button in (self.update_button, self.remove_button):
            button.setEnabled(self.list.currentRow() >= 0)

    def _menu(self, at: QPoint) -> None:
        item = self.list.itemAt(at)
        if item is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WA_DeleteOnClose)
        menu.addAction(self.tr("Re&name")).triggered.connect(lambda: self.list.editItem(item))
        menu.addAction(icon("trash"), self.tr("&Remove")).triggered.connect(self.remove)
        menu.popup(self.list.viewport().mapToGlobal(at))

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.KeyPress and event.key() == Qt.Key_Delete:
            self.remove()
            return True
        return super().eventFilter(watched, event)  # type: ignore[arg-type]
