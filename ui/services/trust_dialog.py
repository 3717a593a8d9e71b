"""The dialog Trust our certificates: commands that make systems and programs trust the local authority."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import QT_TRANSLATE_NOOP, Qt
from PyQt5.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.files.folders import data_folder
from app.post import Post
from app.services.tls import authority
from ui.forms.form import column
from ui.looks import theme
from ui.looks.icons import icon
from ui.parts import copying
from ui.parts.fitting import fit

INTRODUCTION = QT_TRANSLATE_NOOP(
    "TrustDialog",
    "The local authority of this machine signs the certificates “auto” of services. A client "
    "that trusts this authority trusts these services. Do this on development machines only: "
    "whoever can read the authority's key can pose as any local service. The key is in a "
    "file that only you can read.",
)


def show(window: QWidget, post: Post, say: Callable[[str], object]) -> None:
    """Show the dialog once the authority is loaded or created. ``say`` gets the error if that fails."""

    def opened(found: authority.Authority) -> None:
        dialog = TrustDialog(found, window)
        dialog.setAttribute(Qt.WA_DeleteOnClose)
        dialog.open()

    # In a thread: it reads files and, the first time, makes a key.
    post.sender.in_thread(authority.of, data_folder()).addCallbacks(
        opened, lambda failure: say(failure.getErrorMessage())
    )


class TrustDialog(QDialog):
    """Shows the authority's certificate, its path, and a command for each system."""

    def __init__(self, found: authority.Authority, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._authority = found
        self.setWindowFlag(Qt.WindowContextHelpButtonHint, False)
        self.setWindowTitle(self.tr("Trust our certificates"))
        words = _words(self.tr(INTRODUCTION))
        place = QGridLayout()
        place.setHorizontalSpacing(16)
        place.setColumnStretch(1, 1)
        for row, (name, value) in enumerate(
            ((self.tr("Certificate"), str(found.path)), ("SHA-256", _in_lines(found.fingerprint)))
        ):
            place.addWidget(QLabel(name), row, 0, Qt.AlignTop)
            place.addWidget(_value(value), row, 1)
        lines = _Lines(authority.how_to_trust(found.path))
        scroll = QScrollArea(self)
        scroll.setAccessibleName(self.tr("What to run on each system"))
        scroll.setFrameShape(QFrame.NoFrame)
        scroll.setWidgetResizable(True)
        content = QFrame()
        content.setProperty("surface", "panel")
        # While it is empty: Qt would otherwise look for the size in which all these texts that wrap are best.
        scroll.setWidget(content)
        inside = QVBoxLayout(content)
        inside.setContentsMargins(24, 16, 24, 8)
        inside.setSpacing(12)
        inside.addWidget(words)
        inside.addLayout(place)
        inside.addWidget(lines)
        inside.addStretch(1)
        buttons = QDialogButtonBox(QDialogButtonBox.Close)
        export = QPushButton(self.tr("&Export the certificate…"))
        buttons.addButton(export, QDialogButtonBox.ActionRole)
        for button in buttons.buttons():
            button.setIcon(type(button.icon())())
        export.clicked.connect(self._export)
        buttons.rejected.connect(self.reject)
        footer = QFrame()
        footer.setProperty("surface", "window")
        footer.setLayout(column(buttons))
        footer.layout().setContentsMargins(24, 12, 24, 12)
        self.export_result = _words("")
        self.export_result.setContentsMargins(24, 4, 24, 4)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(scroll, 1)
        whole.addWidget(self.export_result)
        whole.addWidget(footer)
        self.export_result.hide()
        self.resize(theme.scaled(760), theme.scaled(560))
        fit(self)

    def _export(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, self.tr("Export the certificate"), self._authority.path.name)
        if name:
            self.export(Path(name))

    def export(self, to: Path) -> None:
        """Write the certificate, without its key, to a file."""
        try:
            self._authority.export(to)
            self.export_result.setText(self.tr("Written to {file}.").format(file=to))
        except Exception as e:
            self.export_result.setText(str(e))
        self.export_result.show()


class _Lines(QWidget):
    """A title and a line to copy for each system."""

    def __init__(self, lines: list[tuple[str, str]]) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 8, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(0, 1)
        for row, (title, line) in enumerate(lines):
            name = QLabel(title)
            name.setProperty("role", "heading")
            name.setWordWrap(True)  # else a long one widens all, with large letters beyond the screen
            name.setContentsMargins(0, 8, 0, 0)
            copy = QToolButton()
            copy.setIcon(icon("copy"))
            copy.setToolTip(self.tr("Copy this command"))
            copy.setAccessibleName(self.tr("Copy the command for {system}").format(system=title))
            copied = self.tr("Copied the command for {system}").format(system=title)
            copy.clicked.connect(lambda _=False, line=line, copied=copied: copying.copy(line, copied))
            grid.addWidget(name, 2 * row, 0)
            grid.addWidget(_value(line), 2 * row + 1, 0)
            grid.addWidget(copy, 2 * row + 1, 1, Qt.AlignTop)
        grid.setRowStretch(2 * len(lines), 1)


def _words(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.PlainText)
    label.setProperty("role", "dim")
    return label


def _value(text: str) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.PlainText)
    label.setWordWrap(True)
    label.setProperty("role", "mono")
    label.setTextInteractionFlags(Qt.TextSelectableByMouse | Qt.TextSelectableByKeyboard)
    return label


def _in_lines(fingerprint: str) -> str:
    """Eight bytes in each line: of itself it would break elsewhere, where there is little room."""
    every = len("00:") * 8
    return "\n".join(fingerprint[at : at + every].rstrip(":") for at in range(0, len(fingerprint), every))
