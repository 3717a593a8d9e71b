"""What the window says of an alert and of what became of it."""

from __future__ import annotations

from time import time_ns

from PyQt5.QtCore import QCoreApplication

from app.alerts.actions import all_actions, brief
from app.alerts.alert import Alert
from app.alerts.counting import Watched
from app.alerts.lanes import Lanes
from ui.looks.declared import in_words
from ui.looks.times import moment


def condition(alert: Alert) -> str:
    """What raises it, on one line."""
    if alert.count == 1:
        return alert.when
    words = QCoreApplication.translate("alerts", "{when} · {count} within {seconds} s")
    return words.format(when=alert.when, count=f"{alert.count:,}", seconds=f"{alert.within_seconds:g}")


def state(one: Watched | None, now: float) -> tuple[str, str]:
    """Its state in words, and the colour of its mark: an attribute of the theme."""
    if one is None:
        return QCoreApplication.translate("alerts", "is about to be armed"), "dim"
    if one.trouble:
        return QCoreApplication.translate("alerts", "cannot look for events: {why}").format(why=one.trouble), "warning"
    if one.state == "armed":
        if not one.raised_at:
            return QCoreApplication.translate("alerts", "armed"), "good"
        words = QCoreApplication.translate("alerts", "armed, last raised {time:%H:%M:%S}")
        if moment(one.raised_at).date() != moment(time_ns()).date():  # before the program was started
            words = QCoreApplication.translate("alerts", "armed, last raised {time:%Y-%m-%d %H:%M}")
        return words.format(time=moment(one.raised_at)), "good"
    quiet = one.quiet_until - now
    if quiet > 0:
        words = QCoreApplication.translate("alerts", "raised {time:%H:%M:%S}, quiet for {seconds} s more")
        return words.format(time=moment(one.raised_at), seconds=f"{quiet:,.0f}"), "bad"
    words = QCoreApplication.translate("alerts", "raised {time:%H:%M:%S}, resolved once no more events match")
    return words.format(time=moment(one.raised_at)), "bad"


def outcomes(alert: Alert, lanes: Lanes) -> tuple[str, bool]:
    """What became of each of its actions, and whether all was well."""
    words, well = [], True
    for action in dict.fromkeys(alert.then):
        found = lanes.outcomes.get((alert.name, action))
        if found is None:
            words.append(brief(action))
        elif found.done:
            words.append(QCoreApplication.translate("alerts", "{action} ✓").format(action=brief(action)))
        else:
            well = False
            said = QCoreApplication.translate("alerts", "{action} not sent: {why}")
            if found.again is not None:
                said = QCoreApplication.translate("alerts", "{action} will be tried again: {why}")
            words.append(said.format(action=brief(action), why=found.words.rstrip(".")))
    return " · ".join(words), well


def known_actions() -> str:
    """A line for each action that there is."""
    found = all_actions().values()
    return "\n".join(f"{action.name} {action.argument}".strip() + f": {in_words(action.help)}" for action in found)
