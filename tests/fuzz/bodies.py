"""What lies in messages and is taken apart to be shown: ClientHellos, forms, multipart bodies, content codings."""

from __future__ import annotations

import gzip
from random import Random

from app.http import forms
from app.http.body import Body
from app.http.contents import of_body
from app.services.tls import client_hello
from app.text import escapes
from tests.fuzz.engine import Target


def check_hello(data: bytes, random: Random) -> None:
    found = client_hello.parse(data)
    if found is not None:
        found.detail()


def check_forms(data: bytes, random: Random) -> None:
    line, _, body = data.partition(b"\n")
    fields = [
        ("Content-Type", line.decode("latin-1")),
        ("Cookie", line.decode("latin-1")),
        ("Set-Cookie", line.decode("latin-1")),
    ]
    for part in forms.parts(body, fields):
        assert len(part.data) <= len(body)
    forms.cookies(fields)
    list(forms.set_cookies(fields))
    forms.pairs(body.decode("latin-1"))
    forms.query(line.decode("latin-1"))


def check_coding(data: bytes, random: Random) -> None:
    coding = random.choice(("gzip", "deflate", "br", "zstd", "gzip, gzip, deflate", "x", ""))
    fields = [
        ("Content-Encoding", coding),
        ("Content-Type", random.choice(("text/plain; charset=utf-16", "application/json", "x", ""))),
    ]
    of_body(Body(data, len(data)), fields)


def check_escapes(data: bytes, random: Random) -> None:
    shown = escapes.escape(data)
    assert shown.isprintable()
    assert escapes.unescape(shown) == data
    typed = data.decode("utf-8", "surrogateescape")
    assert escapes.one_line(typed).isprintable()
    assert escapes.json_line({typed: [typed]}).isprintable()
    assert escapes.preview(data[: escapes.PREVIEW], len(data)).isprintable()


_HELLO = bytes.fromhex(
    "16030100c8010000c40303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7000006130113031302"
    "010000750000000b0009000006736572766572ff01000100000a00140012001d00170018001901000101010201030104"
    "002300000010000e000c02683208687474702f312e31003300260024001d002099381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d54"
    "13691e529aaf2c002b0003020304000d0020001e040305030603020308040805080604010501060102010402050206020202"
)

TARGETS = [
    Target("client hellos", [_HELLO, _HELLO[:60]], check_hello, [b"\x16\x03\x01", b"\x00\x00", b"\xff\xff",
    b"\x00\x10", b"\x00\x2b"]),
    Target(
        "forms",
        [
            b'multipart/form-data; boundary=abc\n--abc\r\nContent-Disposition: form-data; name="a"; filename="b"'
            b"\r\n\r\n1\r\n--abc--\r\n",
            b"multipart/mixed; boundary=\"a b\"\n--a b\n\nx\n--a bc\ny\n--a b--\n",
            b"a=b; c=d; Path=/; Max-Age=5\nx=1&y=%20&&z", b"application/x-www-form-urlencoded\na=%",
        ],
        check_forms,
        [b"--abc", b"\r\n", b"\n", b"\r\n\r\n", b"boundary=", b"boundary*0=a; boundary*1=b", b"boundary*=utf-8''%ff",
        b"filename*=x'y'%zz", b'"', b";", b"=", b"&", b"%", b"\0", b"\xff",
         b"Content-Type: ", b"=?utf-8?q?=ff?=", b"--abc\r\n" * 400],
    ),
    Target("content codings", [gzip.compress(b"hello" * 50), b"x", bytes(100),
    gzip.compress(gzip.compress(bytes(100_000)))], check_coding),
    Target("escapes", [b"hello\r\n\x1b[31m", "ü‮\u2028\x9b".encode(), b"\\x00 \\ \xff\xc3", b"\xed\xa0\x80"],
    check_escapes, [b"\\", b"\xff", b"\0", "\u200f".encode(), "\U000e0001".encode()]),
]  # fmt: skip
