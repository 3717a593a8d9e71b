"""Mail, through a real server."""

from __future__ import annotations

from dataclasses import replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from app.alerts import errors
from app.alerts.actions import mail as action
from app.alerts.mail import Mail
from app.alerts.means import Means
from app.alerts.told import Told
from tests.app.alerts.mail_server import USER, mail_server

ensure = pytest_twisted.ensureDeferred

TOLD = Told(
    "errors", "raised", "http.status >= 500", 12, 60, 1_795_965_325_775_687_587,
    {"id": 7, "kind": "http.response", "service": "rest", "summary": "→ 500 Ärger", "detail": {"status": 500}},
)  # fmt: skip
TO = "qa@example.org"


def mail(port: int, tls: str = "starttls", **more: Any) -> Mail:
    return Mail("127.0.0.1", "post@example.org", **{"tls": tls, "port": port, "user": USER} | more)


async def sent(means: Means, told: Told = TOLD, to: str = TO) -> str:
    return await action.ACTION.act(told, to, means)


@pytest.mark.parametrize("tls", ["starttls", "implicit", "none"])
@ensure
async def test_it_is_received_and_can_be_read(means: Means, tls: str) -> None:
    with mail_server(means.sender.data, tls) as (port, taken):
        means.mail = mail(port, tls)
        assert await sent(means) == f"127.0.0.1:{port} took the mail to {TO}"
    assert taken.sent == [("post@example.org", [TO])]
    assert taken.secured == [tls != "none"]
    assert taken.greeted == ["[127.0.0.1]"]
    [found] = taken.mails
    assert found["Subject"] == "[Listening Post] errors: 12 events in 60 s"
    assert (found["From"], found["To"]) == ("post@example.org", TO)
    assert parsedate_to_datetime(found["Date"]).tzinfo is not None
    assert found["Message-ID"].endswith("@example.org>")
    assert found["Auto-Submitted"] == "auto-generated"
    text = found.get_content()
    assert "rest http.response → 500 Ärger" in text
    assert "Filter: http.status >= 500" in text
    assert "status: 500" in text


@ensure
async def test_what_events_say_adds_no_header_and_ends_no_mail(means: Means) -> None:
    evil = "x\r\nBcc: all@example.org\r\n\r\n.\r\nQUIT\r\n"
    told = replace(TOLD, alert=evil, when=evil, event={**TOLD.event, "summary": evil, "detail": {evil: evil}})
    with mail_server(means.sender.data) as (port, taken):
        means.mail = mail(port)
        await sent(means, told)
    [found] = taken.mails
    assert taken.sent == [("post@example.org", [TO])]
    assert found["Bcc"] is None
    assert "\n" not in found["Subject"]
    assert "\n." not in found.get_content()


@ensure
async def test_a_line_of_one_dot_stays_in_the_mail(means: Means) -> None:
    made = action.message(TOLD, mail(1), TO)
    made.set_content(".\n..\nend")
    from app.alerts import smtp

    with mail_server(means.sender.data) as (port, taken):
        await smtp.send(mail(port), "s3cret", TO, bytes(made), means)
    assert taken.mails[0].get_content().splitlines() == [".", "..", "end"]


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@ensure
async def test_a_server_that_is_not_trusted_gets_no_mail_and_no_password(means: Means, tls: str) -> None:
    with mail_server(means.sender.data, tls, trusted=False) as (port, taken):
        means.mail = mail(port, tls)
        with pytest.raises(errors.UnreachedError, match="is of no authority that we trust"):
            await sent(means)
    assert not taken.sent


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@ensure
async def test_a_certificate_for_another_name_is_refused(means: Means, tls: str) -> None:
    with mail_server(means.sender.data, tls, names=("localhost",)) as (port, taken):
        means.mail = mail(port, tls)
        with pytest.raises(errors.UnreachedError, match="its certificate is for another name"):
            await sent(means)
    assert not taken.sent


@ensure
async def test_a_server_without_starttls_gets_no_mail(means: Means) -> None:
    with mail_server(means.sender.data, "none") as (port, taken):
        means.mail = mail(port, "starttls")
        with pytest.raises(errors.MailRefusedError, match="does not support secure communication"):
            await sent(means)
    assert not taken.sent


@ensure
async def test_a_wrong_password_is_told_and_not_tried_again(means: Means) -> None:
    from twisted.internet.defer import succeed

    means.password = lambda server, user: succeed("wrong")
    with mail_server(means.sender.data) as (port, _):
        means.mail = mail(port)
        with pytest.raises(errors.MailRefusedError, match="535") as told:
            await sent(means)
    assert "wrong" not in str(told.value)
    assert not told.value.again


@pytest.mark.parametrize(
    ("answer", "error"), [("550 no such user", errors.MailRefusedError), ("451 come back", errors.MailDelayedError)]
)
@ensure
async def test_an_address_that_is_refused_is_told_in_the_server_s_words(
    means: Means, answer: str, error: type[errors.AlertError]
) -> None:
    with mail_server(means.sender.data) as (port, taken):
        taken.refuse[TO] = answer
        means.mail = mail(port)
        with pytest.raises(error, match=answer):
            await sent(means)


@ensure
async def test_a_server_that_is_down_may_be_up_later(means: Means, tmp_path: Path) -> None:
    from tests.helpers import closed_port

    with closed_port() as port:
        means.mail = mail(port)
        with pytest.raises(errors.UnreachedError, match="nothing listens there") as told:
            await sent(means)
    assert told.value.again


@ensure
async def test_without_mail_settings_it_says_so(means: Means) -> None:
    with pytest.raises(errors.NoMailError):
        await sent(means)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"220 hello\r\n", "closed the connection"),
        (b"no smtp\r\n", "Invalid response"),
        (b"220-" + b"x" * 300_000, "its lines are too long"),
        (b"554 no\r\n", "554 no"),
    ],
)
@ensure
async def test_what_is_no_mail_server_is_told(means: Means, said: bytes, words: str) -> None:
    with talking(said) as port:
        means.mail = mail(port, "none")
        with pytest.raises(errors.AlertError, match=words):
            await sent(means)


@ensure
async def test_words_before_tls_are_not_taken_for_the_server_s(means: Means) -> None:
    """Somebody between sends more with the answer to STARTTLS (CVE-2011-0411, from the other side)."""
    with talking(b"220 a\r\n", b"250-a\r\n250 STARTTLS\r\n", b"220 go\r\n250-a\r\n250 AUTH PLAIN\r\n") as port:
        means.mail = mail(port)
        with pytest.raises(errors.AlertError, match="it said more before TLS began"):
            await sent(means)


def talking(*words: bytes) -> Any:
    """A server that says the first words at once, each of the others when it has heard something, and ends."""
    import contextlib
    import socket
    import threading

    @contextlib.contextmanager
    def run() -> Any:
        with socket.create_server(("127.0.0.1", 0)) as server:

            def serve() -> None:
                with contextlib.suppress(OSError):
                    client, _ = server.accept()
                    with client:
                        client.settimeout(30)
                        for at, word in enumerate(words):
                            if at:
                                client.recv(1000)
                            client.sendall(word)
                        client.recv(1000)

            threading.Thread(target=serve, daemon=True).start()
            yield server.getsockname()[1]
            server.shutdown(socket.SHUT_RDWR)

    return run()
