"""Opens SSH services, on loopback addresses only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort

from app.services import address, errors, tcp
from app.services.service import Service


def open_port(service: Service, host: str, port: int) -> Deferred[IListeningPort]:
    """Listen with the service's ``SSHFactory``. Fails with ManholeExposedError, HostKeyError or CannotListenError."""
    return Deferred.fromCoroutine(_open(service, host, port))


async def _open(service: Service, host: str, port: int) -> IListeningPort:
    if address.is_exposed(host):
        raise errors.ManholeExposedError(host=host)
    path = service.surroundings.data / "ssh_host_key"
    key = await threads.deferToThreadPool(service.reactor, service.reactor.getThreadPool(), host_key, path)

    def with_key(factory: Any) -> Any:
        factory.privateKeys = {key.sshType(): key}
        factory.publicKeys = {key.sshType(): key.public()}
        return factory

    return tcp.listen(service, with_key, host, port)


def host_key(path: Path) -> Any:
    """The Ed25519 key in ``path``, a ``twisted.conch.ssh.keys.Key``. Makes the file (mode 0600) if there is none.

    Blocks. Raises HostKeyError.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from twisted.conch.ssh.keys import BadKeyError, Key

    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            made = Key(Ed25519PrivateKey.generate()).toString("openssh")
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                file.write(made)
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise errors.HostKeyError(path=path, reason="other users can read it")
        return Key.fromString(path.read_bytes())
    except OSError as e:
        raise errors.HostKeyError(path=path, reason=e.strerror or e) from e
    except (BadKeyError, ValueError) as e:
        raise errors.HostKeyError(path=path, reason="it is not a private key") from e
