"""The dialog that edits the variables of the workspace."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from app.text.variables import MAX_VARIABLES, Variables, name_problem, value_problem
from ui.forms.form import Words, Wrapped, tell
from ui.sending.rows import Row, Rows


class VariablesDialog(QDialog):
    """Names and values. What is wrong is told at once, and cannot be accepted.

    Signals:
        given(object): the variables, as the user wants them: a dict of texts by their names.
    """

    given = pyqtSignal(object)

    def __init__(self, variables: Variables, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowContextHelpButtonHint, False)
        self.setWindowTitle(self.tr("Variables"))
        intro = Wrapped(
            self.tr(
                "Where a URL, a header or a body has {example}, the value of the variable is sent. "
                "Variables are saved in the workspace file: do not put passwords here."
            ).format(example="{{name}}")
        )
        intro.setProperty("role", "dim")
        self.rows, self.words = Rows("=", switched=False), Words()
        self.rows.setAccessibleName(self.tr("Variables"))
        self.rows.set_rows(Row(name, value) for name, value in variables.items())
        self.buttons = QDialogButtonBox(QDialogButtonBox.Ok | QDialogButtonBox.Cancel)
        self.buttons.button(QDialogButtonBox.Ok).setProperty("primary", True)
        for kind in (QDialogButtonBox.Ok, QDialogButtonBox.Cancel):
            self.buttons.button(kind).setAutoDefault(False)  # Enter goes on to the next cell
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        for widget in (intro, self.rows, self.words, self.buttons):
            column.addWidget(widget, int(widget is self.rows))
        self.rows.changed.connect(self._check)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        letter = self.fontMetrics().horizontalAdvance("0")
        self.resize(letter * 64, self.fontMetrics().lineSpacing() * 18)
        self._check()
        self.rows.setFocus()

    def variables(self) -> dict[str, str]:
        return {row.name.strip(): row.value for row in self.rows.rows()}

    def _problem(self) -> str | None:
        rows = self.rows.rows()
        if len(rows) > MAX_VARIABLES:
            return self.tr("A workspace has at most {most} variables.").format(most=MAX_VARIABLES)
        seen: set[str] = set()
        for row in rows:
            name = row.name.strip()
            if not name:
                return self.tr("The value {value} has no name. Give it one, or remove the row.").format(
                    value=row.value[:40]
                )
            if name in seen:
                return self.tr("Two variables are called {name}. Rename one.").format(name=name)
            seen.add(name)
            if wrong := name_problem(name) or value_problem(row.value):
                return f"{name[:40]} {wrong}."
        return None

    def _check(self) -> None:
        problem = self._problem()
        tell(self.rows, self.words, problem)
        ok = self.buttons.button(QDialogButtonBox.Ok)
        ok.setEnabled(problem is None)

    def _accept(self) -> None:
        if self._problem() is None:
            self.given.emit(self.variables())
            self.accept()
