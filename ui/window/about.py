"""The About box."""

from __future__ import annotations

import platform
from pathlib import Path

from PyQt5.QtCore import PYQT_VERSION_STR, QT_VERSION_STR, QCoreApplication, Qt
from PyQt5.QtWidgets import QMessageBox, QWidget

import resources
from app import __version__
from app.post import Post
from ui.looks.icons import icon


def show(window: QWidget, post: Post) -> QMessageBox:
    """Show the version, the licence and the path of the capture."""
    import twisted

    box = QMessageBox(window)
    tr = QCoreApplication.translate
    box.setWindowTitle(tr("About", "About Listening Post"))
    box.setIconPixmap(icon("listening-post").pixmap(64, 64))
    box.setTextFormat(Qt.PlainText)
    box.setText(tr("About", "Listening Post {version}").format(version=__version__))
    versions = f"Python {platform.python_version()}, Qt {QT_VERSION_STR}, PyQt {PYQT_VERSION_STR}"
    box.setInformativeText(
        "\n\n".join(
            [
                tr("About", "Every server a desk needs, in one window."),
                tr("About", "Capture: {path}").format(path=post.capture),
                f"{versions}, Twisted {twisted.__version__}",
                tr(
                    "About",
                    "Free software under the GNU General Public License, version 3 or later."
                    " It comes with no warranty.",
                ),
            ]
        )
    )
    licences = Path(resources.__file__).with_name("LICENSES.txt")
    if licences.exists():  # only the packaged program has the licences of its libraries
        box.setDetailedText(licences.read_text("utf-8"))
    box.setAttribute(Qt.WA_DeleteOnClose)
    box.open()
    return box
