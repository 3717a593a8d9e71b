"""The box above the panes in which a filter is typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PyQt5.QtCore import QEvent, QPoint, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QFocusEvent, QKeyEvent
from PyQt5.QtWidgets import QAction, QLabel, QLineEdit, QMenu, QToolButton

from app.capture.filters import errors
from app.capture.filters import language as filters
from app.capture.filters.completion import Suggestion, combined, suggestions
from app.capture.filters.fields import FIELDS, Field
from ui.forms.form import sentence, set_property
from ui.looks.icons import icon
from ui.parts.completions import Completions
from ui.parts.labels import mark_accessible, unmarked
from ui.settings import MAX_USED

EXAMPLE = "size > 100 and peer contains 127"

DELAY = 150
"""Milliseconds after the last key press until the filter is applied."""

OFFERED = 30
"""Most suggestions that are shown."""

Known = Callable[[], Mapping[str, Sequence[str]]]
"""Returns the values that fields have at present, by the field's name."""


class FilterBox(QLineEdit):
    """Emits the filter once typing pauses and the filter is valid; Esc empties the box.

    An invalid filter is marked and explained below the box; the panes keep what they show.

    Signals:
        typed: a valid filter.
        entered: Return was pressed, and the filter is valid.
        left: Esc was pressed.
        saved_changed: all saved filters, when the user has saved or removed one.
        used_changed: the filters that were used, the latest first.
        offered_changed(): ``offered`` may have changed.
        alert_wanted: the user wants an alert on the typed filter.

    Attributes:
        offers_alerts: whether there is somebody who makes alerts.
    """

    typed = pyqtSignal(str)
    entered = pyqtSignal()
    left = pyqtSignal()
    saved_changed = pyqtSignal(list)
    used_changed = pyqtSignal(list)
    offered_changed = pyqtSignal()
    alert_wanted = pyqtSignal()
    offers_alerts = False

    def __init__(self, known: Known = dict) -> None:
        super().__init__()
        self._known = known
        self._fields: Mapping[str, Field] = FIELDS
        self.saved: list[str] = []
        self.used: list[str] = []
        self._recalled = -1
        """The index in ``used`` of the filter that was brought back; -1 once something else is typed."""
        self._show_example(EXAMPLE)
        self.setToolTip(
            self.tr("Show only events that match (Ctrl+F); Esc shows everything again, Up brings the last filter back")
        )
        self.setClearButtonEnabled(True)
        self.setMinimumWidth(160)
        self.addAction(icon("filter", "accent"), QLineEdit.LeadingPosition)
        menu = self.addAction(icon("bookmark"), QLineEdit.TrailingPosition)
        menu.setToolTip(self.tr("Saved filters"))
        menu.triggered.connect(lambda: self._open_saved(menu))
        self.star = self.addAction(icon("star"), QLineEdit.TrailingPosition)
        self.star.triggered.connect(self._on_star)
        mark_accessible(self, self.tr("Filter"), self.tr("Shows only events that match this filter"))
        self._words: QLabel | None = None
        self._offered: Completions | None = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(DELAY)
        self._pause.timeout.connect(self.apply)
        self.textChanged.connect(lambda _: self._on_text())
        # The button that empties the box counts as an edit.
        self.textEdited.connect(lambda text: self._offer() if text else self._hide_offered())
        self.saved_changed.connect(self._on_kept)
        self.used_changed.connect(self._on_kept)
        self._show_star()

    def _open_saved(self, action: QAction) -> None:
        """Open the menu of the saved filters below the button of ``action``, which is at the end of the box."""
        button = next(found for found in self.findChildren(QToolButton) if found.defaultAction() is action)
        menu = self.saved_menu()
        right = self.mapToGlobal(QPoint(button.geometry().right(), self.height()))
        menu.popup(right - QPoint(menu.sizeHint().width() - 1, 0))

    def apply(self) -> bool:
        """Apply what is typed now; returns whether it is valid."""
        self._pause.stop()
        problem = self._problem()
        if problem is None or problem.at < len(self.text().rstrip()) or not self._offering():
            self._say(problem)  # while values are offered for the end, that it is not complete is no news
        if problem is None:
            self.typed.emit(self.text())
        return problem is None

    def speak(self, fields: Mapping[str, Field], text: str, example: str = EXAMPLE) -> None:
        """Let filters name ``fields`` from now on, and show ``text``, the filter of the pane in view."""
        if fields is not self._fields:
            self._remember()
            self._fields = fields
            self._show_example(example)
            self._pause.stop()
            self._say(None)
            self.blockSignals(True)
            self.setText(text)
            self.blockSignals(False)
            self._on_kept()

    def _show_example(self, example: str) -> None:
        self.setPlaceholderText(self.tr("Filter: {example}, or any text").format(example=example))

    def narrow(self, condition: str) -> None:
        """Add ``condition`` to the filter."""
        self.setText(combined(self.text(), condition))
        self.apply()

    def begin(self, text: str) -> None:
        """Type a filter that begins with ``text``, in the place of the one before."""
        self._remember()
        self.setFocus(Qt.OtherFocusReason)
        self.setText(text)
        self._offer()

    # -- problems

    def _problem(self) -> errors.FilterError | None:
        return self._problem_of(self.text())

    def _problem_of(self, text: str, fields: Mapping[str, Field] | None = None) -> errors.FilterError | None:
        """What is wrong with a filter on these fields; without any: on those of the pane in view."""
        try:
            filters.parse(text, self._fields if fields is None else fields)
        except errors.FilterError as e:
            return e
        return None

    def _on_text(self) -> None:
        self._pause.start()
        self._show_star()
        if self._problem() is None:
            self._say(None)  # at once; a problem is shown after the pause only, since any half-typed word is one

    def _say(self, problem: errors.FilterError | None) -> None:
        set_property(self, "invalid", problem is not None)
        if problem is None:
            if self._words is not None:
                self._words.hide()
            return
        self._hide_offered()
        if self._words is None:
            self._words = QLabel(self.window())
            self._words.setObjectName("filter-words")
            self._words.setTextFormat(Qt.PlainText)
            self._words.setWordWrap(True)
        said = self.tr("At character {at}: {reason}")  # the reason may begin with a field's name: no capital
        said = said.format(at=problem.at + 1, reason=problem.fields["reason"])
        self._words.setText(sentence(said))
        self._words.setFixedWidth(max(320, self.width()))
        self._words.adjustSize()
        self._words.move(self.mapTo(self.window(), QPoint(0, self.height() + 4)))
        self._words.raise_()
        self._words.show()
        self.setAccessibleDescription(self._words.text())

    # -- suggestions

    def _offer(self) -> None:
        found = suggestions(self.text(), self.cursorPosition(), self._known(), self._fields)[:OFFERED]
        if self._offered is None:
            self._offered = Completions(self)
            self._offered.chosen.connect(self._complete)
        self._offered.offer(found)

    def _complete(self, suggestion: Suggestion) -> None:
        typed, start, text = self.text(), suggestion.start, suggestion.text
        room = "" if text.endswith("{") else " "
        self.setText(typed[:start] + text + room + typed[self.cursorPosition() :].lstrip())
        self.setCursorPosition(start + len(text) + len(room))
        self._offer()

    def _hide_offered(self) -> bool:
        """Hide the suggestions; returns whether they were shown."""
        shown = self._offering()
        if self._offered is not None:
            self._offered.hide()
        return shown

    def _offering(self) -> bool:
        return self._offered is not None and self._offered.isVisible()

    def _taken(self, event: QKeyEvent) -> bool:
        """Give a key to the suggestions; returns whether they took it."""
        return self._offered is not None and self._offering() and self._offered.takes(event)

    # -- saved filters

    def saved_menu(self) -> QMenu:
        """A menu of the saved filters, with actions to save or remove the typed one."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WA_DeleteOnClose)
        used = [text for text in self.used if text not in self.saved]
        for texts in (self.saved, used):
            for text in texts:
                menu.addAction(unmarked(text)).triggered.connect(lambda _=False, text=text: self._take(text))
            if texts is self.saved:
                if not self.saved:
                    menu.addAction(self.tr("No saved filters yet")).setEnabled(False)
                if used:
                    menu.addSeparator()
                    menu.addAction(self.tr("Recently used:")).setEnabled(False)
        menu.addSeparator()
        typed = self.text().strip()
        if typed in self.saved:
            menu.addAction(self.tr("Remove from the saved filters")).triggered.connect(
                lambda: self.keep(typed, keep=False)
            )
        else:
            save = menu.addAction(self.tr("Save this filter"))
            save.setEnabled(bool(typed) and self._problem() is None)
            save.triggered.connect(lambda: self.keep(typed))
        if self.offers_alerts:
            alert = menu.addAction(icon("bell"), self.tr("Alert on this filter…"))
            # An alert looks at events: most filters of exchanges fit these, too, and few of conversations.
            alert.setEnabled(bool(typed) and self._problem_of(typed, FIELDS) is None)
            alert.triggered.connect(lambda: self.alert_wanted.emit())
        return menu

    def offered(self) -> list[tuple[str, bool]]:
        """The filters that the pane in view understands, each with whether it is saved; the others were used."""
        texts = dict.fromkeys([*self.saved, *self.used])
        return [(text, text in self.saved) for text in texts if self._problem_of(text) is None]

    def toggle(self, text: str, _checked: bool = False) -> None:
        """Apply this filter; or show everything, if it is the one that is applied."""
        self._take("" if text == self.text().strip() else text)

    def _take(self, text: str) -> None:
        self._remember()
        self.setText(text)
        self.apply()

    def keep(self, text: str, *, keep: bool = True) -> None:
        """Save this filter, under its own text; or save it no longer."""
        self.saved = [other for other in self.saved if other != text] + ([text] if keep else [])
        self.saved_changed.emit(self.saved)

    def forget(self, text: str) -> None:
        """Forget that this filter was used."""
        self.used = [other for other in self.used if other != text]
        self.used_changed.emit(self.used)

    def _on_star(self) -> None:
        text = self.text().strip()
        self.keep(text, keep=text not in self.saved)

    def _on_kept(self, *_: object) -> None:
        self._show_star()
        self.offered_changed.emit()

    def _show_star(self) -> None:
        """Show whether the filter that is typed is saved; where there is none, no star."""
        text = self.text().strip()
        saved = text in self.saved
        self.star.setVisible(bool(text) and self._problem() is None)
        self.star.setIcon(icon("star-filled", "warning") if saved else icon("star"))
        self.star.setToolTip(self.tr("Remove from the saved filters") if saved else self.tr("Save this filter"))

    # -- filters that were used

    def _remember(self) -> None:
        """Keep the filter that is about to go, if it is one."""
        text = self.text().strip()
        if text and self.used[:1] != [text] and self._problem() is None:
            self.used = [text, *(other for other in self.used if other != text)][:MAX_USED]
            self.used_changed.emit(self.used)

    def _recall(self, by: int) -> bool:
        """Bring an older or a newer filter back, as a shell does with its lines; returns whether that was meant."""
        at = self._recalled if self._recalled >= 0 and self.text() == self.used[self._recalled] else -1
        if (self.text() and at < 0) or (by < 0 and at < 0):
            return False
        at = min(at + by, len(self.used) - 1)
        self.setText(self.used[at] if at >= 0 else "")
        self._recalled = at
        self.apply()
        return True

    # -- keys

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.KeyPress and event.key() == Qt.Key_Tab:
            # Qt would move the focus before keyPressEvent sees the key.
            return self._taken(event) or super().event(event)
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._taken(event):
            return
        if event.key() in (Qt.Key_Up, Qt.Key_Down) and self._recall(1 if event.key() == Qt.Key_Up else -1):
            return
        if event.key() == Qt.Key_Escape:
            if self._hide_offered():
                return
            self._remember()
            self.clear()
            self.left.emit()
        elif event.key() in (Qt.Key_Return, Qt.Key_Enter):
            self._hide_offered()
            if self.apply():
                self._remember()
                self.entered.emit()
        elif event.key() == Qt.Key_Down or (event.key() == Qt.Key_Space and event.modifiers() & Qt.ControlModifier):
            self._offer()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._remember()
        self._hide_offered()
        if self._words is not None:
            self._words.hide()
