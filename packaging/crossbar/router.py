"""Makes a folder for a Crossbar router of outposts, and starts it there: certificate, keys, configuration.

Runs in Crossbar's own environment: ``make router``, or on a machine of its own ``python router.py FOLDER``. What is in
the folder already is kept, the configuration excepted, which is written anew each time.
"""

from __future__ import annotations

import argparse
import datetime
import ipaddress
import json
import os
import sys
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS = 3650
MOST_BYTES = 9 << 20
"""Of one message: an answer of an outpost has 8 MiB at most, and what is around it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where certificate, keys and configuration lie")
    parser.add_argument(
        "--listen", action="append", metavar="ADDRESS", help="to listen on, repeatable; 0.0.0.0: on all"
    )
    parser.add_argument("--port", type=int, default=8443)
    parser.add_argument("--realm", default="post.lab")
    parser.add_argument(
        "--name", action="append", default=[], help="a name or address by which others reach it, for the certificate"
    )
    parser.add_argument("--only-prepare", action="store_true", help="make the folder, and start nothing")
    args = parser.parse_args()
    folder: Path = args.folder.resolve()
    prepare(folder, args.listen or ["127.0.0.1"], args.port, args.realm, args.name)
    print(f"outposts and consoles reach it at wss://{(args.name or ['localhost'])[0]}:{args.port}/ws, with --realm"
          f" {args.realm} --ca {folder / 'ca.pem'}; their public keys belong into {folder}/outposts and"
          f" {folder}/consoles", flush=True)  # fmt: skip
    if not args.only_prepare:
        crossbar = str(Path(sys.executable).with_name("crossbar"))
        os.execv(crossbar, [crossbar, "start", "--cbdir", str(folder), "--loglevel", "warn"])


def prepare(folder: Path, listen: list[str], port: int, realm: str, names: list[str]) -> None:
    os.umask(0o077)
    for part in (folder, folder / "outposts", folder / "consoles"):
        part.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / "router.pem").exists():
        _certificates(folder, [*names, *listen, "localhost", "127.0.0.1", "::1"])
    configuration = json.dumps(configured(folder, listen, port, realm), indent=2)
    (folder / "config.json").write_text(f"{configuration}\n")


def configured(folder: Path, listen: list[str], port: int, realm: str) -> dict[str, Any]:
    """Crossbar's configuration: one realm, the roles console and outpost, TLS, and login by key alone."""
    console = [
        {"uri": "post.", "match": "prefix", "allow": {"call": True, "subscribe": True}, "disclose": {"caller": True}},
        # Who is there.
        *({"uri": uri, "allow": {"call": True}} for uri in ("wamp.session.list", "wamp.session.get")),
        *({"uri": uri, "allow": {"subscribe": True}} for uri in ("wamp.session.on_join", "wamp.session.on_leave")),
    ]
    login = {
        "type": "dynamic",
        "authenticator": "rules.authenticate",
        "authenticator-realm": realm,
        "authenticator-role": "trusted",
    }
    rules = {"folder": str(folder), "realm": realm}
    return {
        "version": 2,
        "controller": {},
        "workers": [
            {
                "type": "router",
                "options": {"pythonpath": [str(Path(__file__).resolve().parent)]},
                "realms": [
                    {
                        "name": realm,
                        "roles": [
                            {"name": "console", "permissions": console},
                            {"name": "outpost", "authorizer": "rules.authorize"},
                        ],
                    }
                ],
                "components": [
                    {"type": "class", "classname": "rules.Rules", "realm": realm, "role": "trusted", "extra": rules}
                ],
                "transports": [
                    {
                        "type": "web",
                        "endpoint": {
                            "type": "tcp",
                            "interface": address,
                            "port": port,
                            "tls": {"certificate": str(folder / "router.pem"), "key": str(folder / "router.key")},
                        },
                        "paths": {
                            "/": {"type": "json", "value": {"post": realm}},
                            "ws": {
                                "type": "websocket",
                                "auth": {"cryptosign": login},
                                "options": {
                                    "max_message_size": MOST_BYTES,
                                    "max_frame_size": MOST_BYTES,
                                    # A link that is cut without a word is noticed.
                                    "auto_ping_interval": 10_000,
                                    "auto_ping_timeout": 10_000,
                                    "fail_by_drop": True,
                                },
                            },
                        },
                    }
                    for address in listen
                ],
            }
        ],
    }


def _certificates(folder: Path, names: list[str]) -> None:
    """An authority, ``ca.pem`` for outposts and consoles, and what it has signed: ``router.pem``, ``router.key``."""
    now = datetime.datetime.now(datetime.UTC)
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Router of outposts: authority")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Router of outposts")])

    def certificate(name: x509.Name, public_key: Any) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder(issuer, name, public_key, x509.random_serial_number())
        return made.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(
            now + datetime.timedelta(days=DAYS)
        )

    identifier = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
         "decipher_only"), False,
    )  # fmt: skip
    root = (
        certificate(issuer, authority.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=False, key_cert_sign=True, crl_sign=True, **usage), critical=True
        )
        .add_extension(identifier, critical=False)
        .sign(authority, hashes.SHA256())
    )
    signed = (
        certificate(subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in dict.fromkeys(names)]), critical=False)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=False, crl_sign=False, **usage), critical=True
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(authority, hashes.SHA256())
    )
    for name, private in (("ca.key", authority), ("router.key", key)):
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _write(folder / name, pem)
    _write(folder / "ca.pem", root.public_bytes(serialization.Encoding.PEM))
    _write(folder / "router.pem", signed.public_bytes(serialization.Encoding.PEM))


def _write(path: Path, data: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(data)


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


if __name__ == "__main__":
    main()
