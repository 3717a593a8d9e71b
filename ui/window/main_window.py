"""The main window: makes the rooms of the window, gives them to each other, and places them."""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PyQt5.QtWidgets import QApplication, QMainWindow, QVBoxLayout, QWidget

from app.capture.reading.reader import Reader
from app.capture.schema import SUFFIX
from app.files.folders import data_folder
from app.metrics.serving import MetricsServer
from app.post import Post
from app.programs.shown import HostedPort
from app.workspace.reading import Workspace
from ui.actions.action import Place
from ui.actions.build import Actions
from ui.alerts.commands import AlertCommands
from ui.bridge import Bridge
from ui.captures.commands import CaptureCommands
from ui.captures.files import CaptureFiles, dropped
from ui.charts.commands import ChartCommands
from ui.edits import Edits
from ui.faults.commands import FaultCommands
from ui.manual.commands import ManualCommands
from ui.manual.help import Help
from ui.outposts.commands import Elsewhere, OutpostCommands
from ui.panes.browser import Browser
from ui.panes.commands import EventCommands, PaneCommands
from ui.panes.exchange_actions import ExchangeActions
from ui.panes.failure_actions import FailureActions
from ui.panes.notes import Notes
from ui.parts.copying import SHOWN
from ui.program.commands import ProgramCommands
from ui.programs.actions import ProgramActions
from ui.programs.commands import ProgramsCommands
from ui.sending.commands import SendCommands
from ui.services.actions import ServiceActions
from ui.services.commands import ServiceCommands
from ui.services.side import ServicesSide
from ui.settings import Settings
from ui.streams.windows import StreamWindows
from ui.watch.commands import WatchCommands
from ui.window.capture_button import CaptureButton
from ui.window.commands import WindowCommands
from ui.window.drafts import Drafts
from ui.window.example import Examples
from ui.window.menus import ContextMenus, RecentMenu
from ui.window.middle import WIDTH, Middle
from ui.window.notices import Notices
from ui.window.palette import Palette
from ui.window.palette_entries import PaletteEntries
from ui.window.selection import Selection
from ui.window.start_page import StartPage
from ui.window.status_line import StatusLine
from ui.window.toolbar import Toolbar
from ui.window.workspace_files import WorkspaceFiles
from ui.workbench.answering import AnswerByRule
from ui.workbench.commands import WorkbenchCommands
from ui.workbench.faults.dialog import edit_faults
from ui.workbench.pages import Workbench

if TYPE_CHECKING:
    from ui.instance import Wish
    from ui.services.elsewhere import ServicesElsewhere

WORKSPACE = ".toml"
PROGRAMS = (".py", ".tac")

DRAFTS = "drafts"
"""The folder in the data folder for unsaved changes."""

HEIGHT = 768
"""Pixels of the window before the user changes its size."""


class MainWindow(QMainWindow):
    """Everything of one Post on one screen.

    Attributes:
        bridge: the news of the Post.
        edits: changes the workspace, and undoes that.
        actions_: the actions by name. ``actions`` is a method of Qt's.
        files, captures: the workspace and the captures as files.
        metrics: serves them, where the settings say so.
        drafts: unsaved changes that survive a crash.
        side, services, connections: the left side and its two lists.
        browser, panes, detail, filter: the panes with their filter and the detail of the current event.
        programs, service_actions, failure_actions, exchanges, notes: what acts on services and events.
        workbench: the pages of services.
        sending, faults, watches, outposts, charts, alerts, streams: the docks of these, and the stream windows.
        examples: what the start page does in one click.
        notices, middle, start_page, toolbar, capture_button, command_palette, menus, manual: parts of the window
            itself.

    Signals:
        closed: the user closed it, and unsaved changes were settled.
    """

    closed = pyqtSignal()

    def __init__(self, post: Post, reader: Reader, settings: Settings, opened: Workspace, title: str) -> None:
        super().__init__()
        self._post, self._settings = post, settings
        self.bridge = Bridge(post)
        self.actions_ = Actions(self, Place.MAIN)
        self.edits = Edits(post, self)
        self.metrics = MetricsServer(post.sender.reactor, post)
        self.files = WorkspaceFiles(post, self.edits, settings, opened, title, self)
        # Each part is made in its place: when one moves, Qt applies the stylesheet again to all that it holds.
        # The whole comes into the window last: Tab goes over the toolbar first, and ends with pages made later.
        self._whole = QWidget()
        self.notices = Notices(post, self.bridge, self._whole)
        self.middle = Middle(post, self._whole)
        self.drafts = Drafts(self.edits, self.files, post.sender.in_thread, data_folder() / DRAFTS)
        self._make_services()
        self._make_panes(reader)
        self._make_window()
        self._make_commands(reader)
        self._place()
        self.files.changed.connect(self._show_title)
        self.bridge.services_changed.connect(self._show_title)
        self._show_title()

    # -- making

    def _make_services(self) -> None:
        post, edits, bridge = self._post, self.edits, self.bridge
        self.programs = ProgramActions(post, edits, self._settings, self, self.notices.say)
        self.service_actions = ServiceActions(post, edits, bridge, self, self.programs, lambda: self._settings.host)
        self.side = ServicesSide(post, edits, bridge, self.service_actions, self._settings, self.middle)
        self.services, self.connections = self.side.services, self.side.connections

    def _make_panes(self, reader: Reader) -> None:
        post, bridge = self._post, self.bridge
        self.browser = Browser(post, reader, post.sender.in_thread, self._settings, self.middle.right)
        self.browser.follow(bridge, self.service_actions, self.actions_)
        self.panes, self.detail, self.filter = self.browser.panes, self.browser.detail, self.browser.filter
        self.notes = Notes(post.recorder, self)
        self.notes.follow(bridge)
        self.exchanges = ExchangeActions(reader, self)
        self.workbench = Workbench(post, self.edits, bridge, reader, self.panes)
        self.workbench.toggled.connect(self.service_actions.toggle)
        self.files.follow(self.workbench)
        self.service_actions.edit_wanted.connect(self.workbench.open)
        self.services.address_wanted.connect(self._edit_address)
        self.services.kill_wanted.connect(self.programs.kill)
        self.failure_actions = FailureActions(post, self.panes.failures, self.detail, self)
        self.streams = StreamWindows(reader, post.sender.in_thread, self, lambda id: self.sending.fill(reader, id))
        self.streams.follow(bridge)
        self.captures = CaptureFiles(post, reader, self._settings, self)

    def _make_window(self) -> None:
        post, bridge, settings, actions = self._post, self.bridge, self._settings, self.actions_
        self.notices.listen(self.files, self.drafts, self.captures, self.exchanges)
        self.capture_button = CaptureButton(post, bridge, actions, self.captures, lambda: settings.capture_limit)
        self.toolbar = Toolbar(actions, self.service_actions.create, self.filter, self.capture_button)
        self.start_page = StartPage(actions, self.files, settings, self.middle.right)
        self.middle.place(bridge, self.side, self.browser, self.start_page)
        self.workbench.shown.connect(self.middle.show_panes)
        self.service_actions.added.connect(self.middle.show_service)
        self._status_line = StatusLine(post, bridge, actions["failures"])
        self.panes.unresolved_changed.connect(self._status_line.show_unresolved)
        self.menus = ContextMenus(actions, self.side, self.browser, self.notes)
        self.recent = RecentMenu(self, actions, self.files, settings)
        offered = PaletteEntries(post, settings, actions, self.service_actions, self.files, self.middle)
        self.command_palette = Palette(self, offered.entries, settings)
        self.manual = Help(self.notices.say, self)
        self.workbench.said.connect(self.notices.say)

    def _make_commands(self, reader: Reader) -> None:
        bridge = self.bridge
        selection = Selection(self._post, self.edits, bridge, self.side, self.browser, self.failure_actions)
        self._make_docks(reader, selection)
        self.capture_commands = CaptureCommands(
            self._post, reader, self.captures, self.browser, self, selection.connection, self._settings
        )
        self._connect_actions(selection)
        self._make_examples()
        bridge.capture_changed.connect(self._read_anew)
        self.middle.show_panes_on(self.actions_)
        self.actions_.follow(selection.changed, selection.situation)

    def _make_docks(self, reader: Reader, selection: Selection) -> None:
        post, edits, bridge = self._post, self.edits, self.bridge
        self.sending = SendCommands(
            post,
            edits,
            bridge,
            self,
            self.side.selected,
            self.files.folder,
            reader,
            lambda: self.browser.current_event,
            edit_faults,
            self._settings,
        )
        self.files.changed.connect(self.sending.refresh)
        self.faults = FaultCommands(
            post, edits, bridge, self, reader, self.workbench.show_faults, self.browser.show_filtered,
            self.side.selected, lambda: self.browser.current_event, selection.connection, self._status_line.tell,
        )  # fmt: skip
        self.charts = ChartCommands(
            reader, self.browser, lambda: list(post.services), self._settings, self, live=True
        )  # fmt: skip
        bridge.ticked.connect(self.charts.on_stored)
        bridge.services_changed.connect(self.charts.on_services)
        self.watches = WatchCommands(
            post, edits, bridge, self, self._watchable, self.browser.show_filtered,
            lambda condition: self.alerts.edit("", condition),
        )  # fmt: skip
        self.outposts = OutpostCommands(
            post, edits, self, self.notices.say, self.browser.show_filtered,
            Elsewhere(lambda *ask: self.elsewhere.do(*ask), self.sending.send_to, self.watches.watch),
        )  # fmt: skip
        self.workbench.hits_wanted.connect(self.faults.show_hits)
        self.alerts = AlertCommands(
            post, edits, bridge, self, self.notices.say, self.panes.typed, self.browser.show_filtered
        )
        self.filter.offers_alerts = True
        self.filter.alert_wanted.connect(self.alerts.alert_on_filter)
        self.detail.wanted.connect(lambda name: self.actions_[name].trigger())
        self.side.changed.connect(self.faults.on_selection)
        self.captures.send_wanted.connect(self.sending.fill)

    def _connect_actions(self, selection: Selection) -> None:
        post, edits = self._post, self.edits
        answering = AnswerByRule(post, self.exchanges, self.workbench, self.service_actions)
        services = ServiceCommands(
            post,
            self.side,
            self.service_actions,
            self,
            self.notices.say,
            self._status_line.tell,
            lambda *asked: self.elsewhere.offer_copy(*asked),
        )
        services.keep_keys(self.actions_)
        self.actions_.say_why(self._status_line.tell)
        self.actions_.connect(
            WorkbenchCommands(
                self.workbench,
                answering,
                lambda: self.services.selected,
                lambda: self.browser.current_event,
                lambda words: self.statusBar().showMessage(words, SHOWN),
                self.service_actions.edit,
            ),
            WindowCommands(
                post,
                edits,
                self._settings,
                self.files,
                self.middle,
                self.command_palette,
                self,
                self.captures.settings,
                self.metrics,
            ),
            services,
            PaneCommands(self.browser, self.streams, selection.connection),
            EventCommands(self.browser, self.notes, self.exchanges, self.failure_actions),
            self.capture_commands,
            self.sending,
            self.faults,
            self.charts,
            self.watches,
            self.outposts,
            self.alerts,
            ManualCommands(self.manual),
            ProgramCommands(post, self),
            ProgramsCommands(self.programs, lambda: self.services.selected),
        )

    def _watchable(self) -> str:
        """What a watch on the selected service has as its target."""
        from ui.sending.resend import reaching

        selected = self.side.selected()
        return (reaching(selected) or "") if isinstance(selected, HostedPort) else self.services.selected

    def _make_examples(self) -> None:
        self.examples = Examples(self._post, self.edits, self.services, self.sending, lambda: self._settings.host, self)
        self.start_page.try_wanted.connect(self.examples.try_it)
        self.start_page.template_wanted.connect(self.examples.begin)
        self.examples.page_wanted.connect(self.workbench.open)
        self.examples.pane_wanted.connect(self.middle.show_service)

    def _place(self) -> None:
        column = QVBoxLayout(self._whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notices)
        column.addWidget(self.middle, 1)
        self.addToolBar(self.toolbar)
        self.setCentralWidget(self._whole)
        self.setStatusBar(self._status_line)
        self.setAcceptDrops(True)
        geometry = self._settings.state("geometry")
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(WIDTH, HEIGHT)
        self.middle.restore(self._settings)

    @cached_property
    def elsewhere(self) -> ServicesElsewhere:
        """Services of outposts; made when it is first wanted."""
        from ui.services.elsewhere import ServicesElsewhere

        return ServicesElsewhere(
            self, self.notices.say, self._status_line.tell, self.service_actions.take, self.outposts.outposts_now
        )

    # -- the window itself

    def _edit_address(self, name: str) -> None:
        if name in self._post.services:
            self.workbench.open_address(name)
        else:
            self.programs.edit(name)

    def _read_anew(self) -> None:
        """The program captures into another file now."""
        self.streams.close()  # they are of the old one
        if self._post.capture is not None:
            self.browser.read_anew(self._post.capture)
            self.charts.read_anew()

    def _show_title(self) -> None:
        title = self.files.title.replace("[*]", "[*][*]")  # Qt replaces a single [*] by the mark of changes
        self.setWindowTitle(self.tr("{title}[*] - Listening Post").format(title=title))
        self.setWindowModified(self.files.modified or bool(self.files.pending))

    def open_wish(self, wish: Wish) -> None:
        """Come to the front and open what a later start of the program was asked to open."""
        self.setWindowState(self.windowState() & ~Qt.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()
        if wish.path is not None and wish.path.suffix == SUFFIX:
            self.captures.open_path(wish.path)
        elif wish.path is not None and not self.files.is_open(wish.path):
            self._open_workspace(wish.path, start=wish.start)
        elif wish.start:
            self.service_actions.start_all()

    def _open_workspace(self, path: Path, *, start: bool = False) -> None:
        """Open a workspace that was asked for from outside, unless the user is in the middle of something."""
        if QApplication.activeModalWidget() is None:
            self.files.open_path(path, start=start)
        else:
            self.notices.say(self.tr("{name} was not opened, because a dialog is open.").format(name=path.name))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(dropped(event.mimeData(), suffix) for suffix in (SUFFIX, WORKSPACE, *PROGRAMS)):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        for path in dropped(event.mimeData()):
            self.captures.open_path(path)
        for path in dropped(event.mimeData(), WORKSPACE)[:1]:
            # Later: while the question is open, the program where it comes from would wait.
            QTimer.singleShot(0, partial(self._open_workspace, path))
        for path in [path for suffix in PROGRAMS for path in dropped(event.mimeData(), suffix)][:1]:
            QTimer.singleShot(0, partial(self.programs.run, path))

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.files.settled(unfinished=self.capture_commands.unfinished()):
            event.ignore()
            return
        self.drafts.settled = True
        self._settings.save_state("geometry", self.saveGeometry())
        self.middle.remember(self._settings)
        self.sending.stop()
        self.streams.close()
        self.capture_commands.stop()
        self.captures.close()
        self.browser.let_go()
        self.charts.let_go()
        self.manual.close()
        self.closed.emit()
        event.accept()
