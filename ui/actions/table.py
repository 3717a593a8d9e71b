"""Every action of the main window and of the windows of opened captures, one declaration for each.

To add an action, add its declaration here and a method of its name to one of the command classes
of its windows (``ui/*/commands.py``, and ``ui/captures/window.py``).
"""

from __future__ import annotations

from PyQt5.QtCore import QCoreApplication

from app.events import (
    DATA_RECEIVED,
    DATAGRAM_RECEIVED,
    FAILURES,
    FAULT_APPLIED,
    HTTP_REQUEST,
    HTTP_RESPONSE,
    WS_MESSAGE,
)
from app.sending.sendable import can_be_sent
from ui.actions.action import Action, Condition, Place, Situation

MAIN, CAPTURE = Place.MAIN, Place.CAPTURE
SERVICE, CONNECTION, EVENTS, GROUP = Place.SERVICE, Place.CONNECTION, Place.EVENTS, Place.GROUP
STRIKES = Place.STRIKES

# -- when an action is enabled, and what is said while it is not

A_SERVICE = Condition("Select a service first", lambda now: now.service)
OWN = Condition("Select a service first, and no program", lambda now: now.own)
A_PORT = Condition("Select a service, or a port of a program, first", lambda now: now.port)
REACHABLE = Condition("Select a service, or an open port of a program, first", lambda now: now.reachable)
A_PROGRAM = Condition("Select a program first", lambda now: now.program)
A_LIVE_PROGRAM = Condition("Select a running program first", lambda now: now.alive)
SOME_RULES = Condition("Select a service with rules first", lambda now: now.rules)
CAN_TLS = Condition("Select a service over TCP, HTTP or WebSocket first", lambda now: now.tls is not None)
A_CONNECTION = Condition("Select a live connection first", lambda now: now.connection)
A_STREAM = Condition("Select a connection, or an event of one, first", lambda now: now.stream)
SOME_STOPPED = Condition("Every service is running", lambda now: now.stopped)
SOME_RUNNING = Condition("No service is running", lambda now: now.running)
AN_EXCHANGE = Condition(
    "Select an HTTP exchange first",
    lambda now: now.event is not None and now.event.kind in (HTTP_REQUEST, HTTP_RESPONSE),
)
SENDABLE = Condition(
    "Select a request, a message or bytes first",
    lambda now: now.event is not None and can_be_sent(now.event),
)
A_MESSAGE = Condition(
    "Select a request or a message first",
    lambda now: (
        now.event is not None
        and now.event.kind in (HTTP_REQUEST, HTTP_RESPONSE, DATA_RECEIVED, DATAGRAM_RECEIVED, WS_MESSAGE)
    ),
)
AN_EVENT_OF_A_SERVICE = Condition(
    "Select an event of a service first",
    lambda now: now.event is not None and bool(now.event.service),
)
A_HIT = Condition(
    "Select a hit of a fault first",
    lambda now: now.event is not None and now.event.kind == FAULT_APPLIED,
)
A_SEED = Condition(
    "Select a hit of a fault, or the start of a service with faults, first",
    lambda now: now.event is not None and bool(now.event.service) and isinstance(now.event.detail.get("seed"), int),
)
A_RUN = Condition("Select a service with faults that was started first", lambda now: now.seeded)
A_PAGE = Condition("Open the page of a service first", lambda now: now.page)
AN_EVENT = Condition(
    "Select an event first",
    lambda now: now.event is not None or now.read_only,  # where it is read only, the action says so
)
A_PAYLOAD = Condition(
    "Select an event with a payload first",
    lambda now: now.event is not None and now.event.payload is not None,
)
A_FAILURE = Condition("Select a failure first", lambda now: now.event is not None and now.event.kind in FAILURES)
RESENDABLE = Condition("Select a failure with bytes first", lambda now: now.can_resend)
AN_OPEN_GROUP = Condition(
    "Select a group of failures first",
    lambda now: now.group is not None and now.group.state != "resolved",
)
A_STEP = Condition("There is nothing to undo", lambda now: bool(now.undo))
AN_UNDONE_STEP = Condition("There is nothing to redo", lambda now: bool(now.redo))
A_RESOLVED_GROUP = Condition(
    "Select a group of failures first",
    lambda now: now.group is not None and now.group.state == "resolved",
)

# -- texts that say what the action would act on


def _undo(now: Situation) -> str:
    return QCoreApplication.translate("actions", "&Undo {step}").format(step=now.undo.replace("&", "&&")).strip()


def _redo(now: Situation) -> str:
    return QCoreApplication.translate("actions", "Re&do {step}").format(step=now.redo.replace("&", "&&")).strip()


def _pause(now: Situation) -> str:
    if now.paused:
        return QCoreApplication.translate("actions", "Res&ume capturing")
    return QCoreApplication.translate("actions", "Pa&use capturing")


# -- the actions

ACTIONS: tuple[Action, ...] = (
    Action(
        "new_workspace", "File", "&New workspace", "Create a workspace without services",
        "Ctrl+Shift+N", "new-file", groups={MAIN: 1},
    ),
    Action(
        "open_workspace", "File", "&Open workspace…", "Open the services, rules and messages of another file",
        "Ctrl+O", "folder-open", groups={MAIN: 1},
    ),
    Action(
        "save_workspace", "File", "&Save workspace",
        "Save services, rules and messages to their file; not what was captured",
        "Ctrl+S", "save", groups={MAIN: 1},
    ),
    Action(
        "save_workspace_as", "File", "Save workspace &as…",
        "Save services, rules and messages to another file; not what was captured",
        "Ctrl+Shift+S", groups={MAIN: 1},
    ),
    Action("open_demo", "File", "Open the &demo", "Open four example services", groups={MAIN: 1}),
    Action(
        "open_showcase", "File", "Open the s&howcase", "Open a service of each kind, to copy from",
        groups={MAIN: 1},
    ),
    Action(
        "run_program", "File", "Run a Twisted pro&gram…",
        "Run a Python file, a module or a command, and see what it does on the network",
        "Ctrl+Shift+Y", "play", groups={MAIN: 2},
    ),
    Action(
        "open_capture", "File", "Open &capture…", "Read another capture in a window of its own",
        "Ctrl+Alt+O", groups={MAIN: 3, CAPTURE: 1},
    ),
    Action(
        "save_capture_as", "File", "Save a copy of the ca&pture…",
        "Save the whole capture to another file: complete, without payloads, or redacted",
        "Ctrl+Alt+S", groups={MAIN: 3, CAPTURE: 1},
    ),
    Action(
        "export", "File", "&Export what was captured…",
        "Write events to a file for other programs: pcapng, HAR, JSON lines or CSV",
        "Ctrl+Shift+E", groups={MAIN: 3, CAPTURE: 1},
    ),
    Action(
        "capture", "File", "Cap&ture settings…",
        "Show where the capture is; set how large captures may become and how long they are kept",
        groups={MAIN: 3},
    ),
    Action(
        "pause_capture", "File", "Pa&use capturing",
        "Stop storing events, or store them again; services keep running",
        "Ctrl+P", "pause", groups={MAIN: 3}, named=_pause,
    ),
    Action(
        "new_capture", "File", "Ne&w capture",
        "Continue in a new file; the old one is kept and can be opened",
        "Ctrl+Alt+N", "new-file", groups={MAIN: 3},
    ),
    Action("close_window", "File", "C&lose", "Close this window", "Ctrl+W", groups={CAPTURE: 2}),
    Action("quit", "File", "&Quit", "Stop all services, finish the capture and quit", "Ctrl+Q", groups={MAIN: 4}),

    Action(
        "undo", "Edit", "&Undo",
        "Take back the last change of the workspace",
        "Ctrl+Z", groups={MAIN: 0}, enabled=A_STEP, named=_undo,
    ),
    Action(
        "redo", "Edit", "Re&do",
        "Make the undone change again",
        "Ctrl+Shift+Z", groups={MAIN: 0}, enabled=AN_UNDONE_STEP, named=_redo, more_keys="Ctrl+Y",
    ),
    Action(
        "copy_rows", "Edit", "&Copy rows", "Copy the selected events as text",
        "Ctrl+C", "copy", groups={MAIN: 1, CAPTURE: 1, EVENTS: 4},
    ),
    Action(
        "copy_payload", "Edit", "Copy &payload", "Copy the payload of the current event",
        "Ctrl+Shift+C", "copy", groups={MAIN: 1, CAPTURE: 1, EVENTS: 4}, enabled=A_PAYLOAD,
    ),
    Action(
        "copy_curl", "Edit", "Copy as cur&l", "Copy the request as a line for a shell",
        "Ctrl+Alt+C", groups={MAIN: 2, EVENTS: 1}, enabled=AN_EXCHANGE, hidden_while_disabled=True,
    ),
    Action(
        "copy_python", "Edit", "Copy as P&ython", "Copy the request as a Python program",
        "Ctrl+Alt+P", groups={MAIN: 2, EVENTS: 1}, enabled=AN_EXCHANGE, hidden_while_disabled=True,
    ),
    Action(
        "copy_exchange", "Edit", "Copy request and ans&wer", "Copy both as text, bodies decoded",
        "Ctrl+Alt+R", groups={MAIN: 2, EVENTS: 1}, enabled=AN_EXCHANGE, hidden_while_disabled=True,
    ),
    Action(
        "select_all", "Edit", "Select &all", "Select all events of the pane",
        "Ctrl+A", groups={MAIN: 3, CAPTURE: 1, EVENTS: 5},
    ),
    Action(
        "filter", "Edit", "&Filter", "Show only events that match a condition or contain a text",
        "Ctrl+F", "filter", groups={MAIN: 4, CAPTURE: 2}, shows_panes=True,
    ),
    Action(
        "note", "Edit", "&Note…", "Add a note or a colour to the selected rows",
        "Ctrl+I", "pencil", groups={MAIN: 5, CAPTURE: 3, EVENTS: 2}, enabled=AN_EVENT,
    ),
    Action(
        "notes", "Edit", "Show all n&otes", "Show only rows that have a note or a colour",
        "Ctrl+Shift+I", groups={MAIN: 5, CAPTURE: 3}, shows_panes=True,
    ),
    Action(
        "alert_on_filter", "Edit", "Ale&rt on this filter…", "Add an alert on events that match the current filter",
        "Ctrl+Alt+T", groups={MAIN: 4}, shows_panes=True,
    ),
    Action(
        "palette", "Edit", "Find a co&mmand…", "Find a command, a service or a pane by its name",
        "Ctrl+K", "search", groups={MAIN: 6}, more_keys="Ctrl+Shift+P",
    ),
    Action(
        "settings", "Edit", "S&ettings…",
        "Change theme, fonts, times, captures, new services and metrics", "Ctrl+,", groups={MAIN: 6},
    ),

    Action(
        "start_all", "Services", "&Start all", "Start every service",
        "Ctrl+R", "play", groups={MAIN: 1}, enabled=SOME_STOPPED,
    ),
    Action(
        "stop_all", "Services", "S&top all", "Stop every service",
        "Ctrl+Shift+R", "stop", groups={MAIN: 1}, enabled=SOME_RUNNING, destroys=True,
    ),
    Action(
        "toggle_service", "Services", "Start &or stop", "Start or stop the selected service",
        "F5", groups={MAIN: 2, SERVICE: 1}, enabled=A_SERVICE,
    ),
    Action(
        "new_service", "Services", "&New service…",
        "Add a service: choose its protocol, its address and how it answers", "Ctrl+N", "plus", groups={MAIN: 2},
    ),
    Action(
        "edit_service", "Services", "&Edit", "Open the page of the selected service: its rules and settings",
        "Ctrl+E", "pencil", groups={MAIN: 2, SERVICE: 3}, enabled=A_SERVICE, shows_panes=True,
    ),
    Action(
        "edit_service_of_event", "Services", "Edit the service of this e&vent",
        "Open the page of the service that this event belongs to",
        "Ctrl+Alt+E", "pencil", groups={MAIN: 2, EVENTS: 2}, enabled=AN_EVENT_OF_A_SERVICE,
        hidden_while_disabled=True,
    ),
    Action(
        "reset_counts", "Services", "Reset hit counts to &zero",
        "Set the hit counts of the selected service's rules to 0",
        "Ctrl+Alt+0", "again", groups={MAIN: 2, SERVICE: 3}, enabled=SOME_RULES, hidden_while_disabled=True,
    ),
    Action(
        "toggle_tls", "Services", "Spea&k TLS",
        "Switch TLS of the selected service on or off; it restarts",
        "Ctrl+Alt+X", groups={MAIN: 2, SERVICE: 3}, enabled=CAN_TLS, checked=lambda now: bool(now.tls),
    ),
    Action(
        "duplicate_service", "Services", "&Duplicate",
        "Add a copy of the selected service on another port; it starts if the original is running",
        "Ctrl+D", "duplicate", groups={MAIN: 2, SERVICE: 3}, enabled=OWN,
    ),
    Action(
        "copy_to_outpost", "Services", "Copy to an o&utpost…", "Add a copy of the selected service to another machine",
        groups={MAIN: 2, SERVICE: 3}, enabled=OWN,
    ),
    Action(
        "remove_service", "Services", "&Remove", "Stop and remove the selected service",
        "Ctrl+Del", "trash", groups={MAIN: 2, SERVICE: 4}, enabled=A_SERVICE, destroys=True,
    ),
    Action(
        "restart_program", "Services", "Restart the pro&gram", "Stop the selected program and start it again",
        "Shift+F5", groups={MAIN: 5, SERVICE: 5}, enabled=A_PROGRAM, hidden_while_disabled=True,
    ),
    Action(
        "kill_program", "Services", "Ki&ll the program",
        "Kill the selected program and the processes that it has started",
        groups={MAIN: 5, SERVICE: 5}, enabled=A_LIVE_PROGRAM, hidden_while_disabled=True,
    ),
    Action(
        "find_service", "Services", "&Find a service",
        "Show only services that match what is typed",
        "Ctrl+Shift+K", "search", groups={MAIN: 2},
    ),
    Action(
        "send_message", "Services", "Send a &message", "Show or hide the Send dock",
        "Ctrl+M", "send", groups={MAIN: 3},
    ),
    Action(
        "send_to_service", "Services", "Send to t&his service", "Open the Send dock for the selected service",
        "Ctrl+Shift+M", groups={MAIN: 3, SERVICE: 2}, enabled=REACHABLE,
    ),
    Action(
        "open_in_send", "Services", "O&pen in Send", "Fill the Send dock with this request, message or payload",
        "Ctrl+J", "send", groups={MAIN: 3, CAPTURE: 3, EVENTS: 1}, enabled=SENDABLE, hidden_while_disabled=True,
    ),
    Action(
        "answer_by_rule", "Services", "Answer this &by a rule", "Add a rule that answers this request or message",
        "Ctrl+Alt+M", groups={MAIN: 3, EVENTS: 1}, enabled=A_MESSAGE, hidden_while_disabled=True,
    ),
    Action(
        "try_on_rules", "Services", "Tr&y this on the rules", "See which rule matches, and why the others do not",
        "Ctrl+Alt+Y", groups={MAIN: 3, EVENTS: 1}, enabled=A_MESSAGE, hidden_while_disabled=True,
    ),
    Action(
        "watch_service", "Services", "W&atch this service…", "Check regularly whether the selected service answers",
        "Ctrl+Alt+I", groups={MAIN: 3, SERVICE: 2}, enabled=REACHABLE,
    ),
    Action(
        "connect_lines", "Services", "Ho&w to connect…", "Show addresses, and commands to paste into a shell",
        "Ctrl+H", groups={MAIN: 3, SERVICE: 2}, enabled=REACHABLE,
    ),
    Action(
        "send", "Services", "Send to &connection…", "Send bytes to the selected connection",
        "Ctrl+Return", "send", groups={MAIN: 4, CONNECTION: 2}, enabled=A_CONNECTION,
    ),
    Action(
        "disconnect", "Services", "D&isconnect", "Close the selected connection",
        "Ctrl+Backspace", "disconnect", groups={MAIN: 4, CONNECTION: 2}, enabled=A_CONNECTION, destroys=True,
    ),

    Action(
        "faults", "Faults", "&Faults of all services", "Show or hide the faults: what fails on purpose",
        "Ctrl+Alt+U", "bolt", groups={MAIN: 1},
    ),
    Action(
        "edit_faults", "Faults", "&Edit the faults of this service",
        "Open the faults on the page of the selected service, to add or change them",
        "Ctrl+Alt+B", "pencil", groups={MAIN: 1, SERVICE: 3}, enabled=A_PORT, shows_panes=True,
    ),
    Action(
        "faults_off", "Faults", "Switch all &off", "Switch every fault off; what faults hold back is passed on",
        "Ctrl+Alt+K", groups={MAIN: 1},
    ),
    Action(
        "fault_of_event", "Faults", "&Go to this fault",
        "Open the fault that caused this event, on the page of its service",
        "Ctrl+Alt+G", "bolt", groups={MAIN: 2, EVENTS: 1}, enabled=A_HIT, hidden_while_disabled=True,
    ),
    Action(
        "fault_hits", "Faults", "All &hits of this fault", "Show only the events of this fault",
        "Ctrl+Alt+H", "filter", groups={MAIN: 2, EVENTS: 1}, enabled=A_HIT, hidden_while_disabled=True,
        shows_panes=True,
    ),
    Action(
        "repeat_seed", "Faults", "Repeat with this &seed",
        "Restart the service with the seed that its faults had in this run",
        "Ctrl+Alt+A", "again", groups={MAIN: 2, EVENTS: 1}, enabled=A_SEED, hidden_while_disabled=True,
    ),
    Action(
        "repeat_run", "Faults", "Repeat the seed of this &run",
        "Restart the selected service with the seed that its faults have now",
        "Ctrl+Alt+J", "again", groups={MAIN: 2, SERVICE: 3}, enabled=A_RUN, hidden_while_disabled=True,
    ),
    Action(
        "fault_reset", "Faults", "Reset &now", "Reset the selected connection (RST)",
        groups={MAIN: 3, STRIKES: 1}, enabled=A_STREAM,
    ),
    Action(
        "fault_stall", "Faults", "S&tall for 5 s",
        "Hold everything back on the selected connection for 5 s, then pass it on",
        groups={MAIN: 3, STRIKES: 1}, enabled=A_STREAM,
    ),
    Action(
        "fault_cut", "Faults", "&Cut the next answer",
        "Send half of the next answer, then close the selected connection",
        groups={MAIN: 3, STRIKES: 1}, enabled=A_STREAM,
    ),
    Action(
        "fault_slow", "Faults", "Slow &down to 1 kB/s",
        "Limit both directions of the selected connection until the fault is removed",
        groups={MAIN: 3, STRIKES: 2}, enabled=A_STREAM,
    ),
    Action(
        "fault_hang", "Faults", "H&ang", "Discard what passes on the selected connection until the fault is removed",
        groups={MAIN: 3, STRIKES: 2}, enabled=A_STREAM,
    ),
    Action(
        "fault_freeze", "Faults", "Free&ze", "Read nothing from the selected connection until the fault is removed",
        groups={MAIN: 3, STRIKES: 2}, enabled=A_STREAM,
    ),
    Action(
        "fault_lift", "Faults", "Remove fau&lts",
        "Remove the faults that were set on the selected connection; it goes on as before",
        groups={MAIN: 3, STRIKES: 3}, enabled=A_STREAM,
    ),

    Action(
        "follow", "View", "&Follow tail", "Keep the newest event in view, or stay here",
        "Ctrl+T", "follow", groups={MAIN: 1, EVENTS: 6}, checked=lambda now: now.following,
    ),
    Action(
        "clear", "View", "&Clear view", "Show only events from now on; the capture keeps the earlier ones",
        "Ctrl+L", "clear", groups={MAIN: 1, EVENTS: 6}, destroys=True,
    ),
    Action(
        "show_all", "View", "Show &everything again", "Undo Clear view",
        "Ctrl+Shift+L", groups={MAIN: 1, EVENTS: 6}, shows_panes=True,
    ),
    Action(
        "next_pane", "View", "Ne&xt pane", "Show the pane to the right",
        "Ctrl+PgDown", groups={MAIN: 2, CAPTURE: 1}, shows_panes=True,
    ),
    Action(
        "previous_pane", "View", "&Previous pane", "Show the pane to the left",
        "Ctrl+PgUp", groups={MAIN: 2, CAPTURE: 1}, shows_panes=True,
    ),
    Action(
        "close_page", "View", "Close the page of the serv&ice", "Close the page that is in view",
        "Ctrl+W", groups={MAIN: 2}, enabled=A_PAGE,
    ),
    Action(
        "conversations", "View", "Con&versations", "Show all connections, past and present",
        "Ctrl+Shift+O", groups={MAIN: 2, CAPTURE: 2}, shows_panes=True,
    ),
    Action(
        "follow_stream", "View", "Follow st&ream", "Show all that passed on the selected connection",
        "Ctrl+Alt+F", groups={MAIN: 3, CAPTURE: 2, CONNECTION: 1, EVENTS: 3}, enabled=A_STREAM,
    ),
    Action(
        "watches", "View", "&Watches", "Show or hide the watches: regular checks of addresses and services",
        "Ctrl+Alt+W", "watch", groups={MAIN: 3},
    ),
    Action(
        "outposts", "View", "&Outposts",
        "Show or hide the outposts: other Listening Posts that you read and control from here",
        "Ctrl+Alt+Q", "network", groups={MAIN: 3},
    ),
    Action(
        "show_checks", "View", "Show chec&ks", "Show or hide the traffic and the results of watches in the panes",
        "Ctrl+Alt+V", groups={MAIN: 3}, checked=lambda now: now.checks_shown,
    ),
    Action(
        "http", "View", "&HTTP", "Show HTTP exchanges, one in each row",
        "Ctrl+Shift+H", groups={MAIN: 3, CAPTURE: 2}, shows_panes=True,
    ),
    Action(
        "failures", "View", "Fail&ures", "Show exceptions and their tracebacks, in groups",
        "Ctrl+Shift+F", "failure", groups={MAIN: 3, CAPTURE: 2}, shows_panes=True,
    ),
    Action(
        "resolve_group", "View", "&Mark as resolved", "Mark the selected group of failures as resolved",
        "Ctrl+G", "check", groups={MAIN: 3, GROUP: 1}, enabled=AN_OPEN_GROUP,
    ),
    Action(
        "reopen_group", "View", "Reope&n", "Mark the selected group of failures as not resolved",
        "Ctrl+Shift+G", "again", groups={MAIN: 3, GROUP: 1}, enabled=A_RESOLVED_GROUP,
    ),
    Action(
        "send_again", "View", "Send the &bytes again", "Send the bytes that caused the selected failure once more",
        "Ctrl+Shift+Return", "send", groups={MAIN: 3, GROUP: 2}, enabled=RESENDABLE,
    ),
    Action(
        "save_report", "View", "&Save report…", "Save the selected failure for a bug tracker, without secrets",
        "Ctrl+Shift+B", "save", groups={MAIN: 3, GROUP: 2}, enabled=A_FAILURE,
    ),
    Action(
        "copy_report", "View", "Cop&y report", "Copy the selected failure for a bug tracker, without secrets",
        "Ctrl+B", "copy", groups={MAIN: 3, GROUP: 2}, enabled=A_FAILURE,
    ),
    Action(
        "charts", "View", "Char&ts", "Show or hide charts over time: bytes, requests, latency, memory",
        "Ctrl+Alt+D", "chart", groups={MAIN: 3, CAPTURE: 2},
    ),
    Action(
        "alerts", "View", "A&lerts", "Show or hide the alerts, which tell you when events match a filter",
        "Ctrl+Alt+Z", "bell", groups={MAIN: 4},
    ),
    Action(
        "start_page", "View", "Start pa&ge", "Show what to begin with, and recent files", "Alt+Home", groups={MAIN: 4},
    ),
    Action(
        "compact_services", "View", "Comp&act list of services",
        "Show one line for each service, or two",
        "Ctrl+Alt+L", groups={MAIN: 4}, checked=lambda now: now.compact,
    ),
    Action(
        "theme", "View", "Light or &dark", "Switch between the light and the dark theme",
        "Ctrl+Shift+T", "moon", groups={MAIN: 4},
    ),

    Action(
        "manual", "Help", "&Manual", "Open the manual at the page for what has the focus", "F1", groups={MAIN: 1},
    ),
    Action(
        "shortcuts", "Help", "&Keyboard shortcuts", "Show every shortcut on one page", "Ctrl+F1", groups={MAIN: 1},
    ),
    Action("whats_new", "Help", "What is &new", "Show what has changed in this version", groups={MAIN: 1}),
    Action(
        "trust", "Help", "&Trust our certificates…", "Show how to make clients trust services with TLS",
        groups={MAIN: 2},
    ),
    Action(
        "program", "Help", "This &program",
        "Show what Listening Post takes from the system, and what grows in it", groups={MAIN: 2},
    ),
    Action("about", "Help", "&About Listening Post", "Version, licence and where the files are", groups={MAIN: 3}),
)  # fmt: skip
