"""What the window says above the panes, in place of dialogs."""

from __future__ import annotations

from PyQt5.QtWidgets import QVBoxLayout, QWidget

from app.capture.recorder import Trouble
from app.post import Post
from ui.bridge import Bridge
from ui.captures.files import CaptureFiles
from ui.looks import theme
from ui.looks.times import moment
from ui.panes.exchange_actions import ExchangeActions
from ui.parts.notice_bar import NoticeBar
from ui.window.plugin_question import PluginQuestion
from ui.window.recovery_bar import RecoveryBar
from ui.window.workspace_files import WorkspaceFiles


class Notices(QWidget):
    """A column of bars, each hidden while it has nothing to say.

    Attributes:
        trouble: why the capture is not written, while it is not.
        notice: what went wrong with the last command.
        recovery: offers the capture of a run that ended without closing it.
        plugin_question: asks whether a plugin may run.
    """

    def __init__(self, post: Post, bridge: Bridge) -> None:
        super().__init__()
        self._recorder = post.recorder
        self.trouble = NoticeBar("bad", closable=False)
        self.notice = NoticeBar("warning", closable=True)
        self.recovery = RecoveryBar()
        self.plugin_question = PluginQuestion(post.plugins)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for bar in (self.trouble, self.notice, self.recovery, self.plugin_question):
            column.addWidget(bar)
        bridge.trouble_changed.connect(self._on_trouble)
        bridge.plugins_changed.connect(self.plugin_question.refresh)
        theme.notifier.changed.connect(self._on_looks)  # the format of times may have changed, too
        self._on_looks()

    def listen(self, workspaces: WorkspaceFiles, captures: CaptureFiles, exchanges: ExchangeActions) -> None:
        """Say what goes wrong with these, and offer captures that were found."""
        for source in (workspaces, captures, exchanges):
            source.failed.connect(self.say)
        captures.found.connect(self.recovery.offer)
        self.recovery.wanted.connect(captures.open_path)

    def say(self, text: str) -> None:
        """Say what went wrong; hide it if ``text`` is empty."""
        self.notice.say(text)

    def _on_looks(self) -> None:
        self._on_trouble(self._recorder.trouble)

    def _on_trouble(self, trouble: Trouble | None) -> None:
        if trouble is None:
            self.trouble.say("")
            return
        since = moment(trouble.since)
        self.trouble.say(f"Not captured since {since:%H:%M:%S}: {trouble.text}. The services go on.")
