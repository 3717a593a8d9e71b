"""Every dialog that is made in one call, by a short name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PyQt5.QtWidgets import QDialog
from twisted.internet.defer import Deferred, maybeDeferred

from app.capture.filters.language import EVERYTHING
from app.events import Note
from app.services.tls import authority
from tests.ui.desk import Capture
from ui.alerts.mail_dialog import MailDialog
from ui.captures.export_dialog import ExportDialog
from ui.captures.save_dialog import SaveDialog
from ui.captures.settings_dialog import CaptureDialog
from ui.outposts.connections import ConnectionsDialog
from ui.outposts.dialog import OutpostDialog
from ui.panes.notes import NoteDialog
from ui.program.dialog import ProgramDialog
from ui.sending.dialog import SendDialog
from ui.sending.variables_dialog import VariablesDialog
from ui.services.connect_dialog import ConnectDialog
from ui.services.dialog import ServiceDialog
from ui.services.outpost_dialog import OutpostServiceDialog
from ui.services.trust_dialog import TrustDialog
from ui.settings import Settings
from ui.settings_dialog import SettingsDialog
from ui.window.main_window import MainWindow
from ui.workbench.faults.dialog import edit_faults

Make = Callable[[], QDialog]

NAMES = (
    "settings", "capture", "connect", "trust", "send", "export", "save", "program", "service", "mail", "note",
    "variables", "faults", "outpost", "connections", "outpost_service",
)  # fmt: skip


class Elsewhere:
    """An outpost that does not answer."""

    name, services = "pi-3", ()

    def ask(self, request: object) -> Deferred[Any]:
        return Deferred()


def makers(window: MainWindow, settings: Settings, capture: Capture, folder: Path) -> dict[str, Make]:
    """What makes each of ``NAMES``, for this window."""
    post, path = window._post, capture.path
    run: Any = maybeDeferred
    elsewhere: Any = Elsewhere()
    return {
        "settings": lambda: SettingsDialog(settings, lambda: None, window.metrics, window),
        "capture": lambda: CaptureDialog(post, settings, run, window),
        "connect": lambda: ConnectDialog(post.services["alpha"], run, window),
        "trust": lambda: TrustDialog(authority.of(folder), window),
        "send": lambda: SendDialog(1, "127.0.0.1:1", window),
        "export": lambda: ExportDialog(path, "", EVERYTHING, 1, run, window),
        "save": lambda: SaveDialog(path, "", run, lambda: run(lambda: None), window),
        "program": lambda: ProgramDialog(post, window),
        "service": lambda: ServiceDialog(post.services["alpha"].config, [], window),
        "mail": lambda: MailDialog(None, lambda *_: None, window),
        "note": lambda: NoteDialog(1, Note("seen", "red"), window),
        "variables": lambda: VariablesDialog({"host": "127.0.0.1"}, window),
        "faults": lambda: edit_faults("tcp", (), window, lambda _: None),
        "outpost": lambda: OutpostDialog(window.outposts._changes, {}, "", window),
        "connections": lambda: ConnectionsDialog(elsewhere, "", window),
        "outpost_service": lambda: OutpostServiceDialog(elsewhere, None, window),
    }
