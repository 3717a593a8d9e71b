"""The body of an answer: a text or a template, and beside it what the current try makes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QSplitter, QVBoxLayout, QWidget

from app.options import Option
from ui.forms.form import Words, sentence, set_property
from ui.parts.labels import plain
from ui.workbench.rule_form.arrangement import Row
from ui.workbench.rule_form.offered_names import Offers
from ui.workbench.rule_form.template_text import TemplateColors, TemplateText

BESIDE = 60
"""Characters of the interface's letters for which there must be room to have both bodies beside each other."""

LINES = 6
"""Lines that are visible at least."""


class BodyRow(QWidget):
    """The body with its switch *Template*, the rendered body, and a line that says whether it is JSON.

    Signals:
        changed(str): the option of that name was edited.
    """

    changed = pyqtSignal(str)

    def __init__(
        self, row: Row, options: Mapping[str, Option], values: Mapping[str, Any], protocol: str, offers: Offers
    ) -> None:
        super().__init__()
        self._body, self._template = row.names
        self._rendered = ""
        self._has_rendered = self._hinted = False
        self.text = TemplateText(str(values.get(self._body, "")), offers)
        self.text.setAccessibleName(self.tr("Body"))
        self.text.setToolTip(plain(options[self._body].help))
        self.switch = QCheckBox(self.tr("Template"))
        self.switch.setToolTip(plain(options[self._template].help))
        self.switch.setChecked(bool(values.get(self._template, False)))
        self.rendered = QPlainTextEdit()
        self.rendered.setReadOnly(True)
        self.rendered.setProperty("role", "mono")
        self.rendered.setFocusPolicy(Qt.ClickFocus)
        self.rendered.setAccessibleName(self.tr("Rendered for the request above"))
        self._colors = TemplateColors(self.rendered.document())
        self._colors.template = False
        self._state = QLabel()
        self._state.setTextFormat(Qt.PlainText)
        self.switch_on = QPushButton(self.tr("Switch Template on"))
        self.switch_on.setProperty("link", True)
        self.switch_on.setAutoDefault(False)
        self._words = Words()
        self._words.setMinimumHeight(0)
        self._words.hide()
        self._lay_out()
        self.text.changed.connect(lambda: self._on_change(self._body))
        self.switch.toggled.connect(lambda _: self._on_change(self._template))
        self.switch_on.clicked.connect(lambda: self.switch.setChecked(True))
        self._show_state()

    def _lay_out(self) -> None:
        height = self.text.fontMetrics().lineSpacing() * LINES + 24
        left, right = QWidget(), QWidget()
        self._right = right
        heading = QLabel(self.tr("Body"))
        heading.setBuddy(self.text)
        heading.setProperty("role", "dim")
        head = QHBoxLayout()
        head.addWidget(heading)
        head.addStretch(1)
        head.addWidget(self.switch)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.text, 1)
        shown = QLabel(self.tr("Rendered for the request above"))
        shown.setProperty("role", "dim")
        shown.setMinimumHeight(self.switch.sizeHint().height())
        heading.setMinimumHeight(self.switch.sizeHint().height())
        column = QVBoxLayout(right)
        column.setContentsMargins(8, 0, 0, 0)
        column.setSpacing(4)
        self._right_column = column
        column.addWidget(shown)
        column.addWidget(self.rendered, 1)
        for area in (self.text, self.rendered):
            area.setMinimumHeight(height)
            area.setMinimumWidth(100)
        splitter = self._splitter = QSplitter(Qt.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(1)
        splitter.addWidget(left)
        splitter.addWidget(right)
        splitter.setStretchFactor(0, 3)
        splitter.setStretchFactor(1, 2)
        right.hide()
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self._state)
        foot.addWidget(self.switch_on)
        foot.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 4, 0, 0)
        whole.setSpacing(4)
        whole.addWidget(splitter, 1)
        whole.addWidget(self._words)
        whole.addLayout(foot)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the rendered body below the other where there is little room."""
        super().resizeEvent(event)
        room = self.fontMetrics().horizontalAdvance("0") * BESIDE
        beside = event.size().width() >= room
        self._splitter.setOrientation(Qt.Horizontal if beside else Qt.Vertical)
        self._right_column.setContentsMargins(8 if beside else 0, 0 if beside else 8, 0, 0)

    # -- what a row of a form has

    def values(self) -> dict[str, Any]:
        return {self._body: self.text.value(), self._template: self.switch.isChecked()}

    def tell(self, problems: Mapping[str, str], hints: Mapping[str, str]) -> None:
        """Show what is wrong; with ``hints``, also of headers, that braces are not filled in."""
        if bool(hints) != self._hinted:
            self._hinted = bool(hints)
            self._show_state()
        text = " ".join(sentence(problems[name]) for name in (self._body, self._template) if name in problems)
        hint = sentence(hints[self._body]) if self.switch.isChecked() and self._body in hints else ""
        self._words.setVisible(bool(text or hint))
        self._words.say(text or hint, "error" if text else "warning")
        set_property(self.text, "invalid", bool(text))
        self.text.setAccessibleDescription(text or hint)

    def focus(self, name: str = "") -> None:
        self.text.setFocus(Qt.OtherFocusReason)

    # -- the try

    def show_rendered(self, body: str | None) -> None:
        """Show what the current try makes of the body; None: it is not answered by this rule."""
        self._has_rendered = body is not None
        if (body or "") != self._rendered:
            self._rendered = body or ""
            self.rendered.setPlainText(self._rendered)
        self._right.setVisible(self._has_rendered and self.switch.isChecked())
        self._show_state()

    def _on_change(self, name: str) -> None:
        self._show_state()
        self.changed.emit(name)

    def _show_state(self) -> None:
        """Say whether the body is JSON, and that an expression is not filled in."""
        template, body = self.switch.isChecked(), self.text.typed()
        self.text.set_template(template)
        unfilled = not template and ("{{" in body or self._hinted)
        self.switch_on.setVisible(unfilled)
        if unfilled:
            words, role = self.tr("{{…}} is sent as it is: Template is off."), "warning"
        else:
            words, role = self._json(self._rendered if template and self._has_rendered else "" if template else body)
        self._state.setText(words)
        set_property(self._state, "role", role)

    def _json(self, body: str) -> tuple[str, str]:
        if body.lstrip()[:1] not in ("{", "["):
            return "", "dim"
        try:
            json.loads(body)
        except json.JSONDecodeError as e:
            words = self.tr("Not JSON: {reason} at line {line}, column {column}")
            return words.format(reason=e.msg.lower(), line=e.lineno, column=e.colno), "warning"
        except (RecursionError, ValueError):
            return self.tr("Not JSON that can be read"), "warning"
        return self.tr("✔ JSON"), "good"
