"""Which page of the manual explains what: the one that F1 opens there."""

from __future__ import annotations

from PyQt5.QtWidgets import QWidget

from ui.manual.pages import INDEX

PLACES = {
    "AlertDialog": "alerts",
    "AlertsDock": "alerts",
    "CaptureDialog": "capture",
    "CarefulDialog": "window",
    "ChartsDock": "charts",
    "ConnectDialog": "services",
    "ConnectionsDialog": "outposts",
    "ConnectionsPanel": "window#services-and-connections",
    "ConversationPane": "window#panes",
    "DetailPane": "window#details",
    "EventPane": "window#panes",
    "ExportDialog": "wireshark",
    "FailurePane": "window#failures",
    "FaultsDock": "window#faults",
    "FaultsSection": "faults",
    "FilterBox": "filters",
    "HTTPPane": "window#panes",
    "LeaveQuestion": "workspace#opening-another",
    "MailDialog": "alerts#mail",
    "NoteDialog": "window#panes",
    "OutpostDialog": "outposts",
    "OutpostsDock": "outposts",
    "OverwriteQuestion": "workspace",
    "ProgramDialog": "blocked#what-grows",
    "RecoveryBar": "workspace#undo",
    "SaveDialog": "capture",
    "SendDialog": "send",
    "SendDock": "send",
    "ServiceDialog": "services",
    "ServicePage": "rules#the-page-of-a-service",
    "ServicesPanel": "window#services-and-connections",
    "SettingsDialog": "window#settings",
    "StartPage": "tour",
    "StreamView": "window#streams",
    "TrustDialog": "tls#have-clients-trust-it",
    "TrustQuestion": "workspace#trust",
    "UnappliedQuestion": "rules",
    "VariablesDialog": "send#variables",
    "WatchDialog": "watch",
    "WatchDock": "watch",
}
"""A page, or ``page#heading``, by the name of the class of a widget. It holds for all that is inside."""


def explained_by(widget: QWidget | None) -> str:
    """The place in the manual for a widget: that of the innermost one around it which has one."""
    while widget is not None:
        for kind in type(widget).__mro__:
            if kind.__name__ in PLACES:
                return PLACES[kind.__name__]
        widget = widget.parentWidget()
    return INDEX
