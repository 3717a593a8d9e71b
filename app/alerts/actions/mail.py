"""``mail ADDRESS``: a mail, through the server of the workspace's ``[mail]``."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from app.alerts import errors
from app.alerts.actions import Action
from app.alerts.mail import Mail, mail_address_problem
from app.alerts.means import Means
from app.alerts.told import Told
from app.text.escapes import one_line
from app.trust.asks import Ask


async def _act(told: Told, to: str, means: Means) -> str:
    mail = means.mail
    if mail is None:
        raise errors.NoMailError
    password = await means.password(mail.server, mail.user) if mail.user else ""
    from app.alerts import smtp  # the smtp of Twisted looks up this machine's name when it is imported

    await smtp.send(mail, password, to, bytes(message(told, mail, to)), means)
    return f"{mail.address} took the mail to {to}"


def message(told: Told, mail: Mail, to: str) -> EmailMessage:
    """The mail. What events say is in its text and, on one line, in its subject."""
    import datetime

    made = EmailMessage(policy=SMTP)
    made["From"] = mail.sender
    made["To"] = to
    made["Subject"] = one_line(f"[Listening Post] {told.title}")[:200]
    made["Date"] = format_datetime(datetime.datetime.now(datetime.UTC))
    made["Message-ID"] = make_msgid(domain=mail.sender.rpartition("@")[2])
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence is to answer
    made.set_content("\n".join(_lines(told)), charset="utf-8", cte="quoted-printable")
    return made


def _lines(told: Told) -> Iterator[str]:
    yield told.title
    yield ""
    yield told.text
    yield ""
    yield f"Filter: {one_line(told.when)}"
    last = told.event
    for key in ("time", "kind", "service", "peer", "host", "conn", "size"):
        if last.get(key) is not None:
            yield f"{key.capitalize()}: {one_line(str(last[key]))}"
    for key, value in last.get("detail", {}).items():
        yield f"{one_line(str(key))}: {one_line(str(value))}"
    if told.missed:
        yield ""
        yield f"{told.missed:,} earlier mails of this alert could not be sent."


def _asks(to: str, mail: Mail | None) -> Iterator[Ask]:
    by = mail.address if mail is not None else "a mail server"
    yield Ask("reach", "", f"mailto:{to} {by}", f"sends mail to {to} through {by}")


ACTION = Action(
    "mail",
    "Send a mail through the server of the mail settings",
    _act,
    "ADDRESS",
    "qa@example.org",
    check=mail_address_problem,
    asks=_asks,
    resolves=True,
    far=True,
)
