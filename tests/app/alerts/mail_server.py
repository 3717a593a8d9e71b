"""aiosmtpd as a mail server: with STARTTLS or TLS from the first byte, with passwords, and what it took."""

from __future__ import annotations

import asyncio
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult

from app.services.tls import authority

USER, PASSWORD = "qa", "s3cret"


class Taken:
    """The mails that the server took, and what it answers to an address.

    Attributes:
        refuse: answers by address, as "550 no such user".
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.sent: list[tuple[str, list[str]]] = []
        self.secured: list[bool] = []
        self.greeted: list[str] = []
        self.clients: list[SMTP] = []
        self.refuse: dict[str, str] = {}

    async def handle_RCPT(self, _: Any, __: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.sent.append((envelope.mail_from, envelope.rcpt_tos))
        self.secured.append(server.transport.get_extra_info("ssl_object") is not None)
        self.greeted.append(session.host_name)
        found = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append(found)  # type: ignore[arg-type]
        return "250 taken"


def _factory(taken: Taken, start: ssl.SSLContext | None, *, login: bool, loop: Any) -> SMTP:
    def check(_: Any, __: Any, ___: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()), handled=False)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a password may pass without TLS
        made = SMTP(
            taken, tls_context=start, require_starttls=start is not None, authenticator=check, auth_required=login,
            auth_require_tls=False, loop=loop,
        )  # fmt: skip
    taken.clients.append(made)
    return made


@contextmanager
def mail_server(
    data: Path, tls: str = "starttls", *, port: int = 0, login: bool = True, names: tuple[str, ...] = ("127.0.0.1",),
    taken: Taken | None = None, trusted: bool = True,
) -> Iterator[tuple[int, Taken]]:  # fmt: skip
    """Its port, and what it takes. ``data``: whose local authority has signed its certificate, if it is ``trusted``."""
    taken = taken or Taken()
    context = None
    if tls != "none":
        key, signed = authority.of(data).sign(names) if trusted else authority.self_signed(names)
        file = data / "mail.pem"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(authority._key_pem(key) + authority._pem(signed))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
    start, begin = (context, None) if tls == "starttls" else (None, context)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        loop.create_server(
            lambda: _factory(taken, start, login=login, loop=loop), "127.0.0.1", port, ssl=begin, reuse_address=True
        )
    )
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def end() -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for client in taken.clients:
            if client.transport is not None:
                client.transport.abort()
        await asyncio.sleep(0)

    try:
        yield server.sockets[0].getsockname()[1], taken
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
