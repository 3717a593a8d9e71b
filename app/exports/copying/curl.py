"""A request as a command for curl."""

from __future__ import annotations

import re
import shlex
from base64 import encodebytes

from app.exports.copying.request import Asked
from app.text.escapes import one_line

MAX_ARGUMENT = 60_000
"""Bytes of a body that are put into the command itself; Linux takes 128 KiB in one argument."""

_PLAIN_PATH = re.compile(r"/[!\"$-~]*")
"""Targets that curl sends as they are: without a fragment, which it would leave out."""


def as_curl(request: Asked) -> str:
    """A command for a POSIX shell with ``$'…'`` (bash, zsh), which makes the same request again."""
    target = request.target.decode("latin-1")
    plain = _PLAIN_PATH.fullmatch(target)
    url = request.url + (target if plain else "/")
    literally = "--path-as-is --globoff " if re.search(r"[\[\]{}]|/\.", target) else ""
    lines = [f"curl {literally}{_quoted(url.encode('latin-1', 'replace'))}"]
    if not plain:
        lines.append(f"--request-target {_quoted(request.target)}")
    lines += _how(request)
    lines += [f"-H {_quoted(text)}" for text in _headers(request)]
    return _with_body(request, lines)


def _how(request: Asked) -> list[str]:
    """Method and version, where curl would choose others."""
    lines = []
    if request.method == "HEAD" and not request.body:
        lines.append("--head")
    elif request.method != ("POST" if request.body else "GET"):
        lines.append(f"-X {_quoted(request.method.encode('latin-1', 'replace'))}")
    if request.version.startswith("HTTP/2"):
        lines.append("--http2" if request.secure else "--http2-prior-knowledge")
    elif request.version == "HTTP/1.0":
        lines.append("--http1.0")
    elif request.secure:
        lines.append("--http1.1")
    if request.secure and not request.outgoing:
        lines.append("--insecure")  # a certificate that only this machine may trust
    if any(name.lower() == "accept-encoding" for name, _ in request.headers):
        lines.append("--compressed")
    return lines


def _headers(request: Asked) -> list[bytes]:
    given = {name.lower() for name, _ in request.headers}
    found = []
    for name, value in request.headers:
        text = f"{name}: {value}" if value else f"{name};"
        found.append(text.encode("latin-1", "replace"))
    ours = ["Accept", "User-Agent", *(["Content-Type"] if request.body else [])]
    return found + [f"{name}:".encode() for name in ours if name.lower() not in given]


def _with_body(request: Asked, lines: list[str]) -> str:
    remarks = "".join(f"# {one_line(remark)}\n" for remark in request.remarks)
    body = request.body
    if not body:
        return remarks + " \\\n  ".join(lines)
    if len(body) <= MAX_ARGUMENT and b"\0" not in body and _is_text(body):
        return remarks + " \\\n  ".join([*lines, f"--data-raw {_quoted(body)}"])
    command = " \\\n  ".join([*lines, "--data-binary @-"])
    why = "binary" if not _is_text(body) else "long"
    return (
        f"{remarks}# The body is {why}, so it stands below in base64.\n"
        f"base64 -d <<'BODY' | {command}\n{encodebytes(body).decode()}BODY"
    )


def _is_text(data: bytes) -> bool:
    try:
        return not re.search(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]", data.decode())
    except UnicodeDecodeError:
        return False


def _quoted(data: bytes) -> str:
    """``data`` as one word of a shell."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = ""
    if text and all(c.isprintable() or c == "\n" for c in text):
        return shlex.quote(text)
    if not data:
        return "''"
    shown = {0x27: "\\'", 0x5C: "\\\\", 0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t"}
    # Three octal digits end by themselves; two of hex would take in a digit that follows.
    return "$'" + "".join(shown.get(b) or (chr(b) if 0x20 <= b < 0x7F else f"\\{b:03o}") for b in data) + "'"
