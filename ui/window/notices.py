"""What the window says above the panes, in place of dialogs."""

from __future__ import annotations

from PyQt5.QtCore import pyqtSlot
from PyQt5.QtWidgets import QVBoxLayout, QWidget

from app.capture.recorder import Trouble
from app.post import Post
from ui.bridge import Bridge
from ui.captures.files import CaptureFiles
from ui.looks import theme
from ui.looks.times import moment
from ui.panes.exchange_actions import ExchangeActions
from ui.parts.notice_bar import NoticeBar
from ui.window.drafts import Drafts
from ui.window.pause_bar import PauseBar
from ui.window.recovery_bar import RecoveryBar
from ui.window.trust_question import TrustQuestion
from ui.window.workspace_files import WorkspaceFiles


class Notices(QWidget):
    """A column of bars, each hidden while it has nothing to say.

    Attributes:
        paused: says that the capture is paused.
        trouble: why the capture is not written, while it is not.
        notice: what went wrong with the last command.
        recovery: offers what is left of a run that ended unexpectedly: unsaved changes, its capture.
        question: asks whether the workspace and its plugins may do what they ask for.
        plugin_trouble: what is wrong with plugins.
    """

    def __init__(self, post: Post, bridge: Bridge, parent: QWidget) -> None:
        super().__init__(parent)
        self.paused = PauseBar(post.recorder, bridge, post.recorder.resume)
        self._recorder = post.recorder
        self.trouble = NoticeBar("bad", closable=False)
        self.notice = NoticeBar("warning", closable=True)
        self.recovery = RecoveryBar()
        self.question = TrustQuestion(post)
        self.plugin_trouble = NoticeBar("warning", closable=True)
        self._plugins, self._said = post.plugins, ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for bar in (self.trouble, self.paused, self.notice, self.recovery, self.question, self.plugin_trouble):
            column.addWidget(bar)
        bridge.trouble_changed.connect(self._on_trouble)
        bridge.plugins_changed.connect(self._on_plugins)
        bridge.question_changed.connect(self.question.refresh)
        bridge.services_changed.connect(self.question.refresh)
        theme.notifier.changed.connect(self._on_looks)  # the format of times may have changed, too
        self._on_looks()
        self._on_plugins()

    def listen(
        self, workspaces: WorkspaceFiles, drafts: Drafts, captures: CaptureFiles, exchanges: ExchangeActions
    ) -> None:
        """Say what goes wrong with these, and offer drafts and captures that were found."""
        for source in (workspaces, drafts, captures, exchanges):
            source.failed.connect(self.say)
        captures.begun.connect(lambda: self.say(""))
        captures.found.connect(self.recovery.offer)
        drafts.found.connect(self.recovery.offer_drafts)
        self.recovery.wanted.connect(captures.open_path)
        self.recovery.restore_wanted.connect(drafts.restore)
        self.recovery.discard_wanted.connect(drafts.discard)

    def say(self, text: str) -> None:
        """Say what went wrong; hide it if ``text`` is empty."""
        self.notice.say(text)

    def _on_plugins(self) -> None:
        words = self._plugins.words
        if words != self._said:  # a message that was dismissed stays hidden until the message changes
            self._said = words
            self.plugin_trouble.say(words)

    @pyqtSlot()
    def _on_looks(self) -> None:
        self._on_trouble(self._recorder.trouble)

    def _on_trouble(self, trouble: Trouble | None) -> None:
        if trouble is None:
            self.trouble.say("")
            return
        since = moment(trouble.since)
        self.trouble.say(
            self.tr("Not captured since {since:%H:%M:%S}: {text}. The services go on.").format(
                since=since, text=trouble.text
            )
        )
