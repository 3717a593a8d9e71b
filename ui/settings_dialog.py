"""The settings. What is changed here holds at once, or says from when on."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from PyQt5.QtCore import QCoreApplication, Qt, QUrl
from PyQt5.QtGui import QDesktopServices, QFontDatabase
from PyQt5.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QFrame,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QStyledItemDelegate,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.capture.capturing import capture_folder
from app.files.folders import data_folder
from app.metrics.serving import MetricsServer
from app.plugin_loader.source import FOLDER
from app.services.config import ServiceConfig
from ui.forms.form import Form, column, sentence, tell
from ui.looks import theme, times
from ui.looks.times import TimeFormat
from ui.parts.told_button import told_button
from ui.program.metrics_form import MetricsForm
from ui.services import checks as service_checks
from ui.settings import LARGEST, SMALLEST, Settings

GB = 1_000_000_000

_Widget = TypeVar("_Widget", bound=QWidget)

SAMPLE = 482_007_118
"""A moment whose digits all show."""


MAX_PATH = 4000
"""Bytes of a folder's path: systems take 4,096 with the file's name."""


class SettingsDialog(QDialog):
    """Pages of settings; there is nothing to save."""

    def __init__(
        self,
        settings: Settings,
        captures: Callable[[], object],
        metrics: MetricsServer,
        parent: QWidget | None = None,
    ) -> None:
        """``captures`` shows the dialog about how long captures are kept."""
        super().__init__(parent)
        self._settings, self._captures, self._server = settings, captures, metrics
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowContextHelpButtonHint, False)
        self.setWindowTitle(self.tr("Settings"))
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setAccessibleName(self.tr("Pages of settings"))
        for title, form in (
            (self.tr("&Appearance"), self._looks()), (self.tr("&Times"), self._times()),
            (self.tr("&Capture"), self._capture()), (self.tr("&Services"), self._services()),
            (self.tr("M&etrics"), self._metrics()),
        ):  # fmt: skip
            self.tabs.addTab(_page(form), title)
        buttons = QDialogButtonBox(QDialogButtonBox.Close)
        buttons.button(QDialogButtonBox.Close).setIcon(type(self.windowIcon())())
        buttons.rejected.connect(self.reject)
        footer = QFrame()
        footer.setProperty("surface", "window")
        footer.setLayout(column(buttons))
        footer.layout().setContentsMargins(24, 12, 24, 12)
        self.setLayout(column(self.tabs, footer))
        self.setMinimumWidth(self.fontMetrics().horizontalAdvance("0") * 72)
        self.theme.setFocus()

    # -- pages

    def _looks(self) -> Form:
        fonts = self._settings.fonts
        self.theme = _choice(
            (self.tr("Same as the system"), "system"), (self.tr("Dark"), "dark"), (self.tr("Light"), "light")
        )
        self.theme.setCurrentIndex(self.theme.findData(self._settings.theme))
        self.theme.currentIndexChanged.connect(self._on_theme)
        self.text_size = _points(fonts.size)
        self.mono = _choice((self.tr("Best available"), ""), *((name, name) for name in _mono_families()))
        self.mono.setCurrentIndex(max(0, self.mono.findData(fonts.mono)))
        self.mono_size = _points(fonts.mono_size)
        self.text_size.valueChanged.connect(self._on_fonts)
        self.mono.currentIndexChanged.connect(self._on_fonts)
        self.mono_size.valueChanged.connect(self._on_fonts)
        form = Form()
        form.add(self.tr("The&me"), self.theme)
        form.add(self.tr("Text si&ze"), self.text_size).say(self.tr("Size of text in menus, buttons and labels"))
        form.add(self.tr("&Data font"), self.mono).say(self.tr("Font of logs, bytes and addresses"))
        form.add(self.tr("Data s&ize"), self.mono_size)
        return form

    def _times(self) -> Form:
        chosen = self._settings.times
        self.zone = _choice((self.tr("Local time"), False), (self.tr("UTC"), True))
        self.zone.setCurrentIndex(self.zone.findData(chosen.utc))
        self.digits = _choice((self.tr("Milliseconds"), 3), (self.tr("Microseconds"), 6), (self.tr("Nanoseconds"), 9))
        self.digits.setCurrentIndex(self.digits.findData(chosen.digits))
        for box in (self.zone, self.digits):
            box.currentIndexChanged.connect(self._on_times)
        form = Form()
        form.add(self.tr("&Zone"), self.zone).say(
            self.tr("Exports, and filters with a time of day, do not depend on this.")
        )
        self._sample = form.add(self.tr("&Precision"), self.digits)
        self._sample.say(self.tr("As in {SAMPLE}").format(SAMPLE=times.clock(SAMPLE)))
        return form

    def _capture(self) -> Form:
        self.folder = QLineEdit(str(self._settings.captures or capture_folder()))
        self.folder.setProperty("role", "mono")
        self.folder.textChanged.connect(self._on_folder)
        choose = told_button(self.tr("C&hoose…"), self.tr("Choose a folder for captures"), self._choose_folder)
        reveal = told_button(
            self.tr("&Reveal"),
            self.tr("Show this folder in the file manager"),
            lambda: _reveal(Path(self.folder.text())),
        )
        self.limit = QDoubleSpinBox()
        self.limit.setRange(0.01, 1000)
        self.limit.setDecimals(2)
        self.limit.setSuffix(self.tr(" GB"))
        self.limit.setValue(self._settings.capture_limit / GB)
        self.limit.valueChanged.connect(self._on_limit)
        more = told_button(
            self.tr("&How long captures are kept…"),
            self.tr("Set how many days captures are kept, and how much disk space all of them may take"),
            self._captures,
        )
        form = Form()
        self._folder_words = form.add(self.tr("&Folder"), self.folder, choose, reveal)
        form.add(self.tr("&Size limit"), _short(self.limit)).say(
            self.tr(
                "When a capture grows beyond this size, its oldest events are dropped. Applies from the "
                "next capture on."
            )
        )
        form.add(self.tr("Cleaning up"), _short(more))
        self._check_folder()
        return form

    def _services(self) -> Form:
        self.host = _choice(*((host, host) for host in service_checks.HOSTS))
        self.host.setEditable(True)
        self.host.setInsertPolicy(QComboBox.NoInsert)
        self.host.setCompleter(None)  # type: ignore[arg-type]  # it would make ::1 of every ::
        self.host.setProperty("role", "mono")
        self.host.setEditText(self._settings.host)
        self.host.editTextChanged.connect(self._on_host)
        folder = data_folder() / FOLDER
        self.plugins = QLineEdit(str(folder))
        self.plugins.setReadOnly(True)
        self.plugins.setProperty("role", "mono")
        self.plugins.setCursorPosition(0)
        reveal = told_button(
            self.tr("&Reveal"), self.tr("Show the folder of plugins in the file manager"), lambda: _reveal(folder)
        )
        form = Form()
        self._host_words = form.add(self.tr("&Address"), self.host)
        form.add(self.tr("&Plugins"), self.plugins, reveal).say(
            self.tr("Put Python files with your own responders here, or in a folder “plugins” beside a workspace.")
        )
        self._check_host()
        return form

    def _metrics(self) -> Form:
        self.metrics = MetricsForm(self._settings, self._server, self)
        return self.metrics

    # -- what is changed

    def _apply(self) -> None:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        self._settings.apply(application)

    def _on_theme(self) -> None:
        self._settings.theme = self.theme.currentData()
        self._apply()

    def _on_fonts(self) -> None:
        fonts = replace(self._settings.fonts, size=self.text_size.value(), mono_size=self.mono_size.value())
        self._settings.fonts = replace(fonts, mono=self.mono.currentData())
        self._apply()
        self.resize(self.size().expandedTo(self.sizeHint()))

    def _on_times(self) -> None:
        self._settings.times = TimeFormat(self.zone.currentData(), self.digits.currentData())
        self._apply()
        self._sample.say(self.tr("As in {SAMPLE}").format(SAMPLE=times.clock(SAMPLE)))

    def _on_limit(self, size: float) -> None:
        self._settings.capture_limit = round(size * GB)

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Folder for captures"), self.folder.text())
        if chosen:
            self.folder.setText(chosen)

    def _on_folder(self) -> None:
        if self._check_folder():
            folder = Path(self.folder.text())
            self._settings.captures = None if folder == capture_folder() else folder

    def _check_folder(self) -> bool:
        text = self.folder.text()
        problem = None
        if not Path(text).is_absolute() or "\0" in text:
            problem = self.tr("Enter the full path of a folder.")
        elif os.path.exists(text) and not os.path.isdir(text):
            problem = self.tr("This is a file. Enter a folder.")
        elif len(os.fsencode(text)) > MAX_PATH or any(len(os.fsencode(part)) > 255 for part in Path(text).parts):
            problem = self.tr("This name is too long. Shorten it.")
        tell(self.folder, self._folder_words, problem, self.tr("Used for captures that start from now on"))
        return problem is None

    def _on_host(self) -> None:
        if self._check_host():
            self._settings.host = self._host()

    def _host(self) -> str:
        return self.host.currentText().strip().removeprefix("[").removesuffix("]")

    def _check_host(self) -> bool:
        host = self._host()
        problem = service_checks.host_problem(host)
        tell(self.host, self._host_words, problem and sentence(problem), self.tr("Address that new services listen on"))
        exposed = not problem and ServiceConfig("new", "tcp", host, 1, "echo").exposed
        if exposed:
            self._host_words.say(self.tr("⚠ Others on the network will be able to reach new services."), "warning")
        return problem is None


def _page(form: Form) -> QFrame:
    page = QFrame()
    page.setProperty("surface", "panel")
    layout = QVBoxLayout(page)
    layout.setContentsMargins(24, 20, 24, 16)
    layout.addLayout(form)
    layout.addStretch()
    return page


def _choice(*entries: tuple[str, object]) -> QComboBox:
    box = QComboBox()
    box.setItemDelegate(QStyledItemDelegate(box))
    for text, value in entries:
        box.addItem(text, value)
    return box


def _points(value: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(SMALLEST, LARGEST)
    box.setSuffix(QCoreApplication.translate("SettingsDialog", " pt"))
    box.setValue(value)
    box.setCorrectionMode(QAbstractSpinBox.CorrectToNearestValue)
    # While 1 of 15 stands there, nothing is to shrink.
    box.setKeyboardTracking(False)
    return _short(box)


def _short(widget: _Widget) -> _Widget:
    widget.setSizePolicy(QSizePolicy.Maximum, QSizePolicy.Fixed)
    return widget


def _reveal(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return  # whoever shows it will say what is wrong
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def _mono_families() -> list[str]:
    fonts = QFontDatabase()
    # Those that begin with a dot are the system's own. Noto Sans Mono does not say of itself that it is one.
    return [
        name
        for name in fonts.families()
        if (fonts.isFixedPitch(name) or name in theme.MONO_FAMILIES) and not name.startswith(".")
    ]
