"""What alerts ask for that nobody should do because a file says so.

They connect elsewhere, stop services, and have somebody else's words shown on the desktop.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.alerts import actions
from app.alerts.alert import Alert
from app.alerts.mail import Mail
from app.trust.asks import Ask


def alerts_asks(alerts: Iterable[Alert], mail: Mail | None) -> list[Ask]:
    """What these alerts ask for."""
    return [ask for alert in alerts for action in alert.then for ask in action_asks(alert.name, action, mail)]


def action_asks(alert: str, action: str, mail: Mail | None) -> list[Ask]:
    """What one action of an alert asks for. An answer holds for it in whatever alert it stands."""
    return [replace(ask, text=f"the alert \u201c{alert}\u201d {ask.text}") for ask in actions.asks_of(action, mail)]
