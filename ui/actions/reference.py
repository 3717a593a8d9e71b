"""The table of shortcuts of the manual, made from the table of actions.

``python -m ui.actions.reference PAGE …`` writes it into the pages; a test compares.
"""

from __future__ import annotations

import sys

from app.commands.reference import pages
from ui.actions.action import Action, Place
from ui.actions.table import ACTIONS


def shortcuts() -> str:
    """For each menu of the main window, a row for each action."""
    parts = []
    for menu in dict.fromkeys(action.menu for action in ACTIONS if Place.MAIN in action.groups):
        rows = [_row(action) for action in ACTIONS if action.menu == menu and Place.MAIN in action.groups]
        parts.append("\n".join([f"## {menu}", "", "| action | shortcut | |", "|---|---|---|", *rows]))
    return "\n\n".join(parts)


def _row(action: Action) -> str:
    keys = ", ".join(f"`{keys}`" for keys in (action.keys, action.more_keys) if keys)
    return f"| {action.text.replace('&', '').rstrip('…')} | {keys} | {action.tip} |"


BLOCKS = {"shortcuts": shortcuts}

if __name__ == "__main__":
    pages.refresh(sys.argv[1:], BLOCKS)
