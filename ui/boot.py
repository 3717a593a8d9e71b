"""Starts the window, in the order that the stack demands, and ends it in good order.

Application, reactor, and only then whatever may import the reactor. Twisted has no loop of its
own here: ``exec_`` is the loop, and ends after Twisted's shutdown, which waits for the Post.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt5.QtCore import QCoreApplication, Qt
from PyQt5.QtWidgets import QApplication
from twisted.internet.defer import Deferred

from app.capture.keeping.about import about
from app.capture.keeping.retention import Keeping
from app.capture.schema import SUFFIX
from app.files.folders import APP_NAME
from app.post import Post, raise_file_limit
from app.workspace import reading as workspace
from app.workspace.reading import Workspace
from ui import screen

if TYPE_CHECKING:
    from app.capture.reading.reader import Reader
    from ui.settings import Settings
    from ui.window.main_window import MainWindow


def run(path: Path | None, capture: Path | None, start: bool, separate: bool = False) -> int:
    """Open the window on a workspace: ``path``, else the last one, else the demo.

    A window that is open already is handed ``path``, unless this is to be a ``separate`` one.

    A ``path`` that is a capture is opened beside it.

    Raises WorkspaceError and its kin, before anything is shown, where ``path`` is not right.
    Returns the exit code.
    """
    from ui import instance
    from ui.instance import Reception, Wish
    from ui.settings import Settings

    settings = Settings()
    beside = path if path is not None and path.suffix == SUFFIX else None
    if beside is not None:
        about(beside)  # what is wrong with it is said before anything is shown
    application = _application(settings)
    reactor = choose_reactor()  # before plugins are loaded, which may import it
    opened, title, notice = _choose(None if beside else path, settings)
    raise_file_limit()
    name = instance.address()
    # A capture of its own is what a window has only one of.
    alone = separate or capture is not None
    if name is not None and not alone and instance.hand_over(Wish(path and path.absolute(), start), name):
        return 0
    post = Post(reactor, opened)
    # The writer's process starts while the window is being built.
    capturing = post.open(
        capture, settings.capture_limit, Keeping(settings.keep_days, settings.keep_total), settings.captures
    )
    try:
        window, reader = _window(reactor, post, settings, opened, title)
    except BaseException:
        post.logbook.close()  # there will be no pane to show it in
        raise
    window.notice.say(notice)
    if settings.first_start and path is None:
        window.show_start_page()
    if name is not None and not alone:
        reception = Reception(name, window)
        reception.wished.connect(window.open_wish)
        window.closed.connect(reception.close)

    async def begin() -> None:
        if beside is not None:
            window.captures.open_path(beside)
        await capturing
        window.captures.look_for_cut_off()
        await (post.start_all() if start else post.autostart())

    async def end() -> None:
        await post.shut_down()
        reader.close()

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(begin()))
    reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromCoroutine(end()))
    reactor.addSystemEventTrigger("after", "shutdown", application.quit)
    window.closed.connect(lambda: _stop(reactor))
    reactor.runReturn()
    window.show()
    # What is there by now stays: the collector need not walk over it again and again.
    gc.collect()
    gc.freeze()
    application.exec_()
    return 0


def _stop(reactor: Any) -> None:
    # From a slot; stock qt5reactor would wait for the next timer if stop() were called here.
    reactor.callLater(0, lambda: reactor.running and reactor.stop())


def _window(reactor: Any, post: Post, settings: Settings, opened: Workspace, title: str) -> tuple[MainWindow, Reader]:
    from app.capture.reading.reader import Reader
    from ui.window.main_window import MainWindow

    assert post.capture is not None
    reader = Reader(post.capture, reactor.callFromThread)
    return MainWindow(post, reader, settings, opened, title), reader


def choose_reactor() -> Any:
    """Install the reactor: ours, or stock qt5reactor where there is no epoll."""
    try:
        from ui.reactor import install
    except ImportError:
        import qt5reactor

        qt5reactor.install()
        from twisted.internet import reactor

        return reactor
    return install()


def _choose(path: Path | None, settings: Settings) -> tuple[Workspace, str, str]:
    """The workspace to open, what to call it, and what to say about it."""
    from app import errors
    from ui.window.workspace_files import demo, demo_file

    if path is not None:
        # The demo that comes with the program is a template: saving it asks where to.
        if os.path.exists(path) and path.samefile(demo_file()):
            return demo(), "Demo", ""
        return workspace.load(path), path.name, ""
    last = next(iter(settings.recent), None)
    if last is not None:
        try:
            return workspace.load(last), last.name, ""
        except errors.PostError as e:
            return demo(), "Demo", f"{last.name} could not be opened, so this is the demo.\n{e}"
    return demo(), "Demo", ""


def _application(settings: Settings) -> QApplication:
    from ui.looks.icons import app_icon

    QCoreApplication.setAttribute(Qt.AA_EnableHighDpiScaling)
    QCoreApplication.setAttribute(Qt.AA_UseHighDpiPixmaps)
    application = screen.application(sys.argv[:1])
    application.setApplicationName(APP_NAME)
    application.setApplicationDisplayName("")
    application.setDesktopFileName(APP_NAME)
    application.setQuitOnLastWindowClosed(False)
    application.setWindowIcon(app_icon())
    settings.apply(application)
    return application
