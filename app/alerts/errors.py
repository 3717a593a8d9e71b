"""Why an alert could not tell somebody."""

from __future__ import annotations

from app.errors import PostError


class AlertError(PostError):
    """Nobody was told. Try the alert to see why."""

    again = False
    """Whether it may be better later, so that it is tried again."""


class UnknownActionError(AlertError):
    """{text} is not an action of alerts. Use one of {known}."""


class NobodyHereError(AlertError):
    """This program cannot {what} here. Use another action."""


class NoMailError(AlertError):
    """The workspace has no mail server. Fill in the mail settings, or [mail] in its file."""


class NoPasswordError(AlertError):
    """There is no password for {user} at {server}: {reason}. Set it in the mail settings, or in {variable}."""


class KeyringError(AlertError):
    """The password cannot be kept: {reason}. Set {variable} before the program starts."""


class NoServiceError(AlertError):
    """There is no service called {name} to stop. Name another service in the alert."""


class UnreachedError(AlertError):
    """{reason}"""

    again = True


class RefusedError(AlertError):
    """{address} answered {status}. {advice}"""


class BusyError(AlertError):
    """{address} answered {status}. Try again later."""

    again = True


class RedirectError(AlertError):
    """{address} redirects to {target}, and the redirect is not followed: {reason}. Write the final address in
    the alert."""


class MailRefusedError(AlertError):
    """{address} refused the mail: {reason}. Correct the mail settings or the address."""


class MailDelayedError(AlertError):
    """{address} did not accept the mail: {reason}."""

    again = True


class WithheldError(AlertError):
    """Not allowed: {asks}. Answer the question in the window, or run listening-post trust {path}; serve has --trust."""


class EndedError(AlertError):
    """The program ended before the notice was sent."""
