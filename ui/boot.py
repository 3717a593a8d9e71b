"""Starts the window and shuts it down.

The order matters: first the QApplication, then the reactor, and only then modules that may import
the reactor. Qt's ``exec_`` runs the event loop. It ends after Twisted's shutdown, which waits for
the Post.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt5.QtCore import QCoreApplication, Qt
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import QApplication
from twisted.internet.defer import Deferred

from app.capture.keeping.about import about
from app.capture.keeping.retention import Keeping
from app.capture.schema import SUFFIX
from app.files.folders import APP_NAME, data_folder
from app.files.limit import raise_file_limit
from app.files.runs import Run
from app.post import Post
from app.text.escapes import one_line
from app.workspace import reading as workspace
from app.workspace.reading import Workspace
from ui import screen
from ui.parts.fitting import fit, keep_size

if TYPE_CHECKING:
    from app.capture.reading.reader import Reader
    from ui.settings import Settings
    from ui.window.main_window import MainWindow


RUNS = "runs"
"""The folder in the data folder that knows which runs ended in order."""


def run(path: Path | None, capture: Path | None, start: bool, separate: bool = False) -> int:
    """Open the main window and run until it is closed. Return the exit code.

    ``path`` is the workspace to open; by default the last one, or the demo. If ``path`` is a capture,
    it is opened in a second window. If a main window is open already, ``path`` is handed over to it,
    unless ``separate`` or ``capture`` asks for a window of its own.

    Raises WorkspaceError, WorkspaceUnreadableError, CaptureError or TooFewFilesError before anything is shown if
    ``path`` cannot be opened.
    """
    from ui import instance
    from ui.instance import Reception, Wish
    from ui.settings import Settings

    raise_file_limit()
    settings = Settings()
    opened_capture = path if path is not None and path.suffix == SUFFIX else None
    if opened_capture is not None:
        about(opened_capture)  # raises if it cannot be opened, before anything is shown
    application = _application(settings)
    reactor = choose_reactor()  # before plugins are loaded, which may import it
    opened, title, notice = _choose(None if opened_capture else path, settings)
    name = instance.address()
    # A running window cannot switch to another capture file, so --capture needs a new window.
    own_window = separate or capture is not None
    if name is not None and not own_window and instance.hand_over(Wish(path and path.absolute(), start), name):
        return 0
    post = Post(reactor, opened)
    post.loop.prepare()
    # The writer process starts up while the window is being built.
    capturing = post.open(
        capture, settings.capture_limit, Keeping(settings.keep_days, settings.keep_total), settings.captures
    )
    try:
        window, reader = _window(reactor, post, settings, opened, title)
    except BaseException:
        post.logbook.close()  # there is no pane that could show the failure
        raise
    window.notices.say(notice)
    if settings.first_start and path is None:
        window.middle.show_start_page()
    # A window of its own beside another leaves later starts to that one; where it is the only one, it takes them.
    if name is not None and not (own_window and instance.answers(name)):
        reception = Reception(name, window)
        reception.wished.connect(window.open_wish)
        window.closed.connect(reception.close)

    this_run = Run(data_folder() / RUNS)

    async def look_back() -> None:
        """Offer what is left of earlier runs; where nothing is, say that the last one was killed."""
        left = await window.drafts.begin()
        killed = await post.sender.in_thread(this_run.begin)
        window.captures.look_for_cut_off(killed=killed is not None and not left)

    async def begin() -> None:
        if opened_capture is not None:
            window.captures.open_path(opened_capture)
        await capturing
        Deferred.fromCoroutine(look_back())
        if settings.metrics:
            await window.metrics.use(settings.metrics)
            if window.metrics.problem:
                window.notices.say(window.metrics.problem)
        window.outposts.begin()
        await (post.start_all() if start else post.autostart())
        post.loop.open(_warn)

    async def end() -> None:
        await window.drafts.finish()
        await window.metrics.use("")
        await window.outposts.close()
        await post.shut_down()
        this_run.end()
        reader.close()

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(begin()))
    reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromCoroutine(end()))
    reactor.addSystemEventTrigger("after", "shutdown", application.quit)
    window.closed.connect(lambda: _stop(reactor))
    reactor.runReturn()
    fit(window)
    keep_size(window)
    window.show()
    # The objects of the start live until the end, so the garbage collector need not visit them again.
    gc.collect()
    gc.freeze()
    application.exec_()
    return 0


def _warn(words: str) -> None:
    if sys.stderr is not None:
        print(f"listening-post: {one_line(words)}", file=sys.stderr)


def _stop(reactor: Any) -> None:
    # This runs in a slot, where stop() of stock qt5reactor would take effect only at the next timer.
    reactor.callLater(0, lambda: reactor.running and reactor.stop())


def _window(reactor: Any, post: Post, settings: Settings, opened: Workspace, title: str) -> tuple[MainWindow, Reader]:
    from app.capture.reading.reader import Reader
    from ui.window.main_window import MainWindow

    assert post.capture is not None
    reader = Reader(post.capture, reactor.callFromThread)
    return MainWindow(post, reader, settings, opened, title), reader


def choose_reactor() -> Any:
    """Install our reactor, or stock qt5reactor if the system has no epoll. Return it."""
    try:
        from ui.reactor import install
    except ImportError:
        import qt5reactor

        qt5reactor.install()
        from twisted.internet import reactor

        return reactor
    return install()


def _choose(path: Path | None, settings: Settings) -> tuple[Workspace, str, str]:
    """The workspace to open, its title, and a notice for the user, or ""."""
    from app.errors import PostError
    from ui.window.workspace_files import demo, demo_file

    if path is not None:
        # The demo file belongs to the program. Opened as a template, it is saved to another file.
        if os.path.exists(path) and path.samefile(demo_file()):
            return demo(), "Demo", ""
        return workspace.load(path), path.name, ""
    last = next(iter(settings.recent), None)
    if last is not None:
        try:
            return workspace.load(last), last.name, ""
        except PostError as e:
            return (
                demo(),
                "Demo",
                QCoreApplication.translate(
                    "Boot", "{name} could not be opened, so the demo was opened instead.\n{reason}"
                ).format(name=last.name, reason=e),
            )
    return demo(), "Demo", ""


def _application(settings: Settings) -> QApplication:
    from ui.looks.icons import app_icon

    QCoreApplication.setAttribute(Qt.AA_EnableHighDpiScaling)
    QCoreApplication.setAttribute(Qt.AA_UseHighDpiPixmaps)
    # 150 % is 150 %, where Qt 5 would make 200 % of it.
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    application = screen.application(sys.argv[:1])
    application.setApplicationName(APP_NAME)
    application.setApplicationDisplayName("")
    application.setDesktopFileName(APP_NAME)
    application.setQuitOnLastWindowClosed(False)
    application.setWindowIcon(app_icon())
    settings.apply(application)
    return application
