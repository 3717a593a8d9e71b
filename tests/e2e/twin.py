"""Prints the positions of buttons: builds the same window on the same display, and reads its widgets.

The program under test is another process, whose widgets nobody can ask. This one has the same
code, fonts and size, so what is at a place here is at that place there::

    python -m tests.e2e.twin WORKSPACE        prints {"start all": [x, y], ...}, the middle of each
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PyQt5.QtCore import QPoint
from PyQt5.QtWidgets import QApplication, QToolBar, QWidget
from twisted.internet.task import Clock

from app.capture.reading.reader import Reader
from app.events import FAILURE, LOG, Event
from app.post import Post
from app.workspace import reading as workspace
from ui.looks import english, theme
from ui.parts.fitting import fit
from ui.settings import Settings
from ui.window.main_window import MainWindow


def main() -> None:
    with TemporaryDirectory() as folder:
        _print(Path(sys.argv[1]), Path(folder))


def _print(path: Path, folder: Path) -> None:
    application = QApplication(sys.argv[:1])
    english.install(application)
    theme.apply(application, theme.DARK)
    opened = workspace.load(path)
    reader = Reader(folder / "none.lpost", lambda call, *args: None)
    post = Post(Clock(), opened)
    post.postpone()  # programs under test have the answer already, elsewhere
    window = MainWindow(post, reader, Settings(folder / "window.ini"), opened, path.name)
    window.detail.show_event(Event(1, 0, FAILURE, "", None, None, 0, "", payload=b""))
    fit(window)
    window.show()
    application.processEvents()
    print(json.dumps(_places(window)))
    window.hide()
    reader.close()


def _places(window: MainWindow) -> dict[str, tuple[int, int]]:
    def middle(widget: QWidget | None) -> tuple[int, int]:
        assert widget is not None
        return at(widget, widget.rect().center())

    def at(widget: QWidget, point: QPoint) -> tuple[int, int]:
        found = widget.mapTo(window, point)
        return found.x(), found.y()

    bar = window.findChild(QToolBar, "toolbar")
    places = {
        "start all": middle(bar.widgetForAction(window.actions_["start_all"])),
        "stop all": middle(bar.widgetForAction(window.actions_["stop_all"])),
        "copy detail": middle(window.detail.copy_button),
        "capture": middle(window.capture_button),
    }
    rows = window.services.list
    for name in window.services.names():
        of_row = rows.delegate.layout_of(window.services.row_rect(name))
        places[f"button of {name}"] = at(rows.viewport(), of_row.button.center())
        places[f"lamp of {name}"] = at(rows.viewport(), of_row.state.center())
    for title, tabs in (("pane", window.panes), ("detail", window.detail.tabs)):
        bar = tabs.tabBar()
        for i in range(tabs.count()):
            places[f"{title} {tabs.tabText(i)}"] = at(bar, bar.tabRect(i).center())
    # Without a failure there is no tab Traceback, and the other tabs are further left.
    window.detail.show_event(Event(1, 0, LOG, "", None, None, 0, "", payload=b""))
    QApplication.processEvents()
    for i in range(window.detail.tabs.count()):
        bar = window.detail.tabs.tabBar()
        places[f"other detail {window.detail.tabs.tabText(i)}"] = at(bar, bar.tabRect(i).center())
    view = window.panes.current().view
    for name, index in (("row", 0), ("next row", 1)):
        places[name] = at(view.viewport(), view.row_rect(index).center())
    list_ = window.connections.viewport()
    places["connection"] = at(list_, QPoint(list_.width() - 24, 12))
    # Last, because a page takes the place of a pane.
    for name in [service.name for service in window.edits.state.services]:
        page = window.workbench.open(name)
        assert page is not None
        QApplication.processEvents()
        sections = page.header.sections
        for i in range(sections.count()):
            places[f"section {sections.tabText(i)} of {name}"] = at(sections, sections.tabRect(i).center())
    return places


if __name__ == "__main__":
    main()
