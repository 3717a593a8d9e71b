"""The find bar: one for all views of text and bytes. It goes through all views of a page, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter

from PyQt5.QtCore import QEvent, QObject, QPoint, QSize, Qt, QTimer
from PyQt5.QtGui import QKeyEvent, QKeySequence
from PyQt5.QtWidgets import (
    QApplication,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QToolButton,
    QWidget,
)

from app.text.finding import MOST
from ui.forms.form import set_property
from ui.looks.icons import icon
from ui.parts.find_text import TextTarget
from ui.parts.find_views import Target, Views

BUDGET = 0.006
"""Seconds for which is searched at a time: the servers run in this thread, too."""

TYPING = 60
"""Milliseconds after a key before a long text is searched."""

REST, SHARE = 250, 6
"""The least milliseconds between two searches of a text that grows, and the same as a multiple of the last one's."""


MakeTarget = Callable[[QWidget], "Target | None"]


def text_target(widget: QWidget) -> Target | None:
    """The target that a view of text is."""
    return TextTarget(widget) if isinstance(widget, QPlainTextEdit | QTextEdit) and widget.isReadOnly() else None


class FindBar(QFrame):
    """A line below the views of its host, hidden until Ctrl+F is pressed in one of them.

    It begins where the focus is, and goes on in the views after that and then in those before.

    Enter, F3 and Shift finds the next place and the one before; Escape closes it and gives the focus back.

    Attributes:
        field: what is typed.
        words: ``3 of 17``.
        case: whether capital letters are not small ones.
    """

    def __init__(
        self, host: QWidget, views: Callable[[], list[QWidget]], make: tuple[MakeTarget, ...] = (text_target,)
    ) -> None:
        """``views()`` are those of the page in view, in the order in which they are read; ``make``: their targets."""
        super().__init__(host)
        self._host, self._views, self._make = host, views, make
        self._target: Views | None = None
        self._unwatch: Callable[[], None] | None = None
        self._starts: list[int] = []
        self._at = -1
        self._search: Iterator[int | None] | None = None
        self._origin, self._from, self._wanted_step, self._took = 0, 0, 0, 0.0
        self._reveal = False
        self._build()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_timer)
        self._changed = QTimer(self)
        self._changed.setSingleShot(True)
        self._changed.timeout.connect(self._again)
        host.installEventFilter(self)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._on_focus)
        self.hide()

    def _build(self) -> None:
        self.setProperty("surface", "window")
        self.setObjectName("find")
        self.field = QLineEdit()
        self.field.setPlaceholderText(self.tr("Find"))
        self.field.setAccessibleName(self.tr("Find"))
        self.field.addAction(icon("search", "dim"), QLineEdit.LeadingPosition)
        self.field.setMinimumWidth(160)
        self.field.setMaximumWidth(420)
        self.field.textEdited.connect(lambda _: self._typed())
        self.field.installEventFilter(self)
        self.words = QLabel()
        self.words.setTextFormat(Qt.PlainText)
        self.words.setProperty("role", "dim")
        self.words.setMinimumWidth(self.fontMetrics().horizontalAdvance("10,000 of 10,000+"))
        self.previous = self._button("chevron-up", self.tr("Previous (Shift+F3)"), lambda: self.step(-1))
        self.next = self._button("chevron-down", self.tr("Next (F3)"), lambda: self.step(1))
        self.case = self._button("", self.tr("Match case"), self._typed)
        self.case.setText(self.tr("Aa"))
        self.case.setCheckable(True)
        self.close_button = self._button("close", self.tr("Close (Esc)"), self.leave)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 8, 4)
        row.setSpacing(4)
        row.addWidget(self.field, 1)
        row.addWidget(self.previous)
        row.addWidget(self.next)
        row.addWidget(self.case)
        row.addSpacing(8)
        row.addWidget(self.words)
        row.addStretch(1)
        row.addWidget(self.close_button)

    def _button(self, name: str, tip: str, call: Callable[[], object]) -> QToolButton:
        button = QToolButton()
        if name:
            button.setIcon(icon(name, "dim"))
            button.setIconSize(QSize(14, 14))
        button.setToolTip(tip)
        button.setAccessibleName(tip.partition(" (")[0])
        button.setFocusPolicy(Qt.TabFocus)
        button.clicked.connect(lambda _=False: call())
        return button

    # -- keys

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() in (QEvent.ShortcutOverride, QEvent.KeyPress):
            act = self._act(event)
            focused = QApplication.focusWidget()
            if act is not None and isinstance(focused, QComboBox):
                focused.installEventFilter(self)  # it would take the key for the beginning of an item
            if act is not None:
                # The window's shortcuts do not take what is accepted here.
                event.accept()
                if event.type() == QEvent.KeyPress:
                    act()
                return True
        return super().eventFilter(watched, event)

    def _act(self, event: QKeyEvent) -> Callable[[], object] | None:
        """What a key does; None if it is none of this bar's."""
        key, shift = event.key(), bool(event.modifiers() & Qt.ShiftModifier)
        if event.matches(QKeySequence.Find):
            return self.open
        if not self.isVisible():
            return None
        in_field = self.field.hasFocus() and key in (Qt.Key_Return, Qt.Key_Enter)
        if (key == Qt.Key_F3 or in_field) and not event.modifiers() & (Qt.ControlModifier | Qt.AltModifier):
            return lambda: self.step(-1 if shift else 1)
        if key == Qt.Key_Escape and not event.modifiers():
            return self.leave
        return None

    def open(self) -> None:
        """Show the bar, search from the view that has the focus, and take what is selected there for what is wanted."""
        focused = QApplication.focusWidget()
        if focused is not self.field:
            target = self._targets()
            if target is None:
                return
            target.look_at(focused)
            self._take(target)
            if selected := target.selected():
                self.field.setText(selected)
        self.show()
        self.field.setFocus(Qt.ShortcutFocusReason)
        self.field.selectAll()
        self._typed()

    def leave(self) -> None:
        """Hide the bar, and give the focus back to the view."""
        target = self._target
        self.hide()
        if target is not None:
            target.mark([], "")
            if self._host.isAncestorOf(target.widget):
                target.widget.setFocus(Qt.OtherFocusReason)
        self._take(None)

    def show_page(self) -> None:
        """Search in the page that is in view now."""
        if self.isVisible():
            self._take(self._targets())
            self._typed()

    def _on_focus(self, _: object, now: QWidget | None) -> None:
        if self.isVisible() and self._target is not None and self._target.look_at(now):
            self._origin = self._target.cursor()
            self._begin()

    def _targets(self) -> Views | None:
        made = (
            next((found for make in self._make if (found := make(view)) is not None), None) for view in self._views()
        )
        targets = [target for target in made if target is not None]
        return Views(targets) if any(target.widget.isVisible() for target in targets) else None

    def _take(self, target: Views | None) -> None:
        if self._unwatch is not None:
            self._unwatch()
        if self._target is not None:
            self._target.mark([], "")
        self._stop()
        self._wanted_step = 0
        self._target = target
        self._origin = target.cursor() if target is not None else 0
        self._unwatch = target.watch(self._on_changed) if target is not None else None

    # -- searching

    def _typed(self) -> None:
        self._reveal = True
        if self._took > BUDGET:
            self._stop()
            self._timer.start(TYPING)
            self._search = None
        else:
            self._begin()

    def _on_changed(self) -> None:
        if not self._changed.isActive():
            self._changed.start(max(REST, round(self._took * 1000 * SHARE)))

    def _again(self) -> None:
        if self.isVisible() and self._search is None and self.field.text():
            self._reveal = False
            self._begin()

    def _stop(self) -> None:
        self._timer.stop()
        self._search = None
        self._starts, self._at = [], -1

    def _begin(self) -> None:
        """Search the whole page. The first place from where the search began becomes the current one."""
        self._stop()
        target, typed = self._target, self.field.text()
        if target is None or not typed:
            if target is not None:
                target.mark([], "")
            self._say()
            return
        self._from, self._took = self._origin if self._reveal else target.cursor(), 0.0
        self._search = target.places(typed, case=self.case.isChecked())
        self._on_timer()

    def _on_timer(self) -> None:
        if self._search is None:
            self._begin()
            return
        began = perf_counter()
        for place in self._search:
            if place is not None:
                self._starts.append(place)
            elif perf_counter() - began > BUDGET:
                self._took += perf_counter() - began
                self._timer.start(0)
                self._choose(complete=False)
                return
        self._took += perf_counter() - began
        self._timer.stop()
        self._search = None
        self._choose(complete=True)

    def _choose(self, *, complete: bool) -> None:
        """Make the first place from the cursor on the current one, as soon as it is found."""
        if self._at < 0 and self._starts:
            at = next((at for at, start in enumerate(self._starts) if start >= self._from), 0 if complete else -1)
            if at >= 0:
                self._go(at)
        if complete and self._wanted_step:
            by, self._wanted_step = self._wanted_step, 0
            self.step(by)
        self._reveal = self._reveal and not complete
        if complete and self._target is not None:
            self._target.mark(self._near(), self.field.text())
        self._say()

    def step(self, by: int) -> None:
        """Go to the next place, or with -1 to the one before; after the last one to the first."""
        if not self.isVisible():
            return
        self._reveal = True
        if self._search is not None or self._timer.isActive():
            self._wanted_step = by
        elif self._starts:
            self._go((self._at + by) % len(self._starts))
            self._origin = self._starts[self._at]
            self._say()

    def _go(self, at: int) -> None:
        self._at = at
        if self._target is not None and self._reveal:
            self._target.show(self._starts[at], self.field.text())
            self._target.mark(self._near(), self.field.text())

    def _near(self, most: int = 400) -> list[int]:
        first = max(0, self._at - most // 2)
        return self._starts[first : first + most]

    def _say(self) -> None:
        count, typed = len(self._starts), self.field.text()
        searching = self._search is not None
        missing = bool(typed) and not count and not searching
        set_property(self.field, "invalid", missing)
        if not typed:
            text = ""
        elif not count:
            text = self.tr("Searching…") if searching else self.tr("Not found")
        else:
            all = f"{count:,}{'+' if searching or count >= MOST else ''}"
            text = self.tr("{number} of {all}").format(number=f"{self._at + 1:,}", all=all)
        kind = self._target.kind(typed) if self._target is not None and typed else ""
        self.words.setText(f"{text}  ·  {kind}" if kind else text)
        self.field.setAccessibleDescription(text)
        for button in (self.previous, self.next):
            button.setEnabled(count > 0)


def views_of(page: QWidget | None, *kinds: type[QWidget]) -> list[QWidget]:
    """The views of these kinds on a page as they are read: columns from left to right, each from its top."""
    if page is None:
        return []

    def place(view: QWidget) -> tuple[int, int]:
        at = view.mapTo(page, QPoint())
        return at.x(), at.y()

    return sorted((view for view in (page, *page.findChildren(QWidget)) if isinstance(view, kinds)), key=place)
