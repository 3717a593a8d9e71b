"""An HTTP exchange as something to paste elsewhere: a line for curl, a Python program, text, a rule of a mock.

What a peer sent stands in these only as data: quoted for the shell, or as a Python literal.
"""

from __future__ import annotations

import re
import shlex
import textwrap
from base64 import encodebytes
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from app.responders.mock.rules import BODILESS, split_field
from app.text import errors
from app.text.escapes import one_line, shown, unescape

if TYPE_CHECKING:
    from app.capture.reading.exchange_at import Exchanged
    from app.events import Event
    from app.http.contents import Content

MAX_ARGUMENT = 60_000
"""Bytes of a body that are put into the command itself; Linux takes 128 KiB in one argument."""

_PLAIN_PATH = re.compile(r"/[!\"$-~]*")
"""Targets that curl sends as they are: without a fragment, which it would leave out."""

_BY_CURL = ("content-length", "host", "connection", "expect", "keep-alive", "upgrade", "http2-settings")
_LOCAL = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, ready to be made again.

    Attributes:
        url: scheme and authority: where the request went to.
        target: as it was sent.
        fields: without those that follow from the rest; latin-1 stands for bytes.
        body: content codings undone.
        remarks: what is not as it was, one line each.
    """

    method: str
    url: str
    target: bytes
    version: str
    fields: list[tuple[str, str]]
    body: bytes
    secure: bool
    outgoing: bool
    remarks: list[str]


def asked(found: Exchanged, *, secure: bool) -> Asked | None:
    """What was asked; None where the request could not be read. ``secure``: whether over TLS."""
    event = found.request
    if event is None:
        return None
    detail = event.detail
    given = _fields(event)
    host = next((value for name, value in given if name.lower() in ("host", ":authority")), "")
    outgoing = bool(detail.get("outgoing"))
    authority, named = _authority(event, host, outgoing)
    body, undone, remarks = _body(found)
    dropped = (*_BY_CURL, *(("content-encoding",) if undone else ()))
    fields = [(name, value) for name, value in given if name.lower() not in dropped and not name.startswith(":")]
    fields = [(name, value) for name, value in fields if name.lower() != "transfer-encoding" or body]
    if named:
        fields.insert(0, ("Host", named))
    method, target = _bytes(detail.get("method", "GET")).decode("latin-1"), _bytes(detail.get("target", "/"))
    url, version = f"http{'s' if secure else ''}://{authority}", str(detail.get("version", ""))
    return Asked(method, url, target, version, fields, body, secure, outgoing, remarks)


def _fields(event: Event) -> list[tuple[str, str]]:
    pairs = event.detail.get("fields") or []
    return [(str(pair[0]), str(pair[1])) for pair in pairs if isinstance(pair, list | tuple) and len(pair) == 2]


def _bytes(escaped: object) -> bytes:
    """What a note shows with escapes, as it was."""
    try:
        return unescape(str(escaped))
    except errors.EscapeError:
        return str(escaped).encode("utf-8", "replace")


def _authority(event: Event, host: str, outgoing: bool) -> tuple[str, str]:
    """Where to send the request, and a Host field if that is to say something else."""
    ours = event.peer if outgoing else event.host
    port = (ours or "").rpartition(":")[2]
    name, _, given = host.rpartition(":") if re.search(r":\d+$", host) else (host, "", "")
    local = name in _LOCAL and re.fullmatch(r"[\w.\[\]:-]+", host)
    if host == ours or (local and given == port) or not ours or (outgoing and host):
        return host or "localhost", ""
    return ours, host


def _body(found: Exchanged) -> tuple[bytes, bool, list[str]]:
    """The request's body, whether codings were undone, and what is to be said about it."""
    assert found.request is not None
    content, size = found.asked, found.request.detail.get("body") or 0
    if content is None:
        why = "HTTP/2, of which bodies are not kept apart" if found.framed else "it is not in the capture as a whole"
        return b"", False, [f"The body of {size:,} bytes is missing: {why}."] if size else []
    if content.cut or (size and not content.whole):
        return content.data, bool(content.coding), [f"The body is cut: it has {content.size:,} bytes."]
    return content.data, bool(content.coding), []


# -- curl


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
    if any(name.lower() == "accept-encoding" for name, _ in request.fields):
        lines.append("--compressed")
    return lines


def _headers(request: Asked) -> list[bytes]:
    given = {name.lower() for name, _ in request.fields}
    found = []
    for name, value in request.fields:
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


# -- Python


def as_python(request: Asked) -> str:
    """A program for Python 3, of its standard library only, which makes the request again."""
    target = request.target.decode("latin-1")
    path = target if target.startswith("/") else "/"
    quoted = re.sub(r"[^!\"$-~]", lambda found: f"%{ord(found[0]):02X}", path)
    fields: dict[str, str] = {}
    for name, value in request.fields:
        if name.lower() != "transfer-encoding":
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
    remarks = list(request.remarks)
    if path != target:
        remarks.append(f"The target was {one_line(target)}, which urllib cannot send.")
    lines = [f"# {one_line(remark)}" for remark in remarks]
    lines += [*(["import ssl"] if request.secure else []), "import urllib.error", "import urllib.request", ""]
    lines += ["request = urllib.request.Request(", f"    {request.url + quoted!r},", f"    method={request.method!r},"]
    if fields:
        lines += ["    headers={", *(f"        {name!r}: {value!r}," for name, value in fields.items()), "    },"]
    if request.body:
        lines.append(f"    data={_literal(request.body)},")
    return "\n".join([*lines, ")", *_opening(request)]) + "\n"


def _opening(request: Asked) -> list[str]:
    context = ""
    lines = []
    if request.secure and not request.outgoing:
        lines.append("context = ssl._create_unverified_context()  # a certificate that only this machine may trust")
        context = ", context=context"
    return [
        *lines,
        "try:",
        f"    response = urllib.request.urlopen(request{context})",
        "except urllib.error.HTTPError as error:",
        "    response = error",
        "print(response.status, response.reason)",
        "print(response.headers)",
        "print(response.read())",
    ]


def _literal(data: bytes) -> str:
    """``data`` as an expression, in lines that an editor takes."""
    parts = [data[at : at + 96] for at in range(0, len(data), 96)]
    if len(parts) == 1:
        return repr(data)
    return "(\n" + textwrap.indent("\n".join(map(repr, parts)), " " * 8) + "\n    )"


# -- text


def as_text(found: Exchanged) -> str:
    """Request and response as they would be typed; codings undone, what is no text as escapes."""
    parts = []
    if found.request is not None:
        detail = found.request.detail
        line = f"{detail.get('method', '')} {detail.get('target', '')} {detail.get('version', '')}"
        parts.append(_message(line, found.request, found.asked))
    if found.response is not None:
        detail = found.response.detail
        version = str(found.request.detail.get("version", "HTTP/1.1")) if found.request is not None else "HTTP/1.1"
        line = f"{version} {detail.get('status', '')} {detail.get('reason', '') or detail.get('refused', '')}"
        parts.append(_message(line, found.response, found.answered))
    return "\n\n".join(parts) + "\n"


def _message(line: str, event: Event, content: Content | None) -> str:
    head = [one_line(line.rstrip())]
    head += [shown(f"{name}: {value}".encode("latin-1", "replace")) for name, value in _fields(event)]
    text = "\n".join(head) + "\n"
    if content is None:
        return text
    if content.data:
        text += "\n" + "\n".join(shown(part) for part in content.data.replace(b"\r\n", b"\n").split(b"\n"))
    if content.cut:
        text += f"\n[cut: the body has {content.size:,} bytes]"
    return text


# -- a rule of a mock


def as_rule(found: Exchanged) -> tuple[dict[str, Any], list[str]]:
    """The rule of the responder ``mock`` that answers this request so, and what it leaves out."""
    rule: dict[str, Any] = {}
    left: list[str] = []
    if found.request is not None:
        rule["method"] = str(found.request.detail.get("method", ""))
        rule["path"] = _pattern(str(found.request.detail.get("target", "/")))
    response = found.response
    if response is None:
        return rule, ["There was no answer to take over."]
    status = response.detail.get("status")
    rule["status"] = status if isinstance(status, int) and 200 <= status <= 599 else 200
    rule["answer_fields"] = [text for name, value in _fields(response) if (text := _answer_field(name, value))]
    content = found.answered
    if content is None or not content.data or rule["status"] in BODILESS:
        if content is None and response.size:
            left.append("The body of the answer is not in the capture.")
        return rule, left
    try:
        rule["body"] = content.data.decode()
    except UnicodeDecodeError:
        left.append("The body of the answer is no UTF-8 text: save it, and name the file in the rule.")
    if content.cut:
        left.append("The body of the answer is cut.")
    return rule, left


def _pattern(target: str) -> str:
    """The path as a rule has it: decoded, or where that would mean something else, as an expression."""
    path = re.sub(r"^[a-z]+://[^/?]*", "", target.partition("?")[0], flags=re.IGNORECASE) or "/"
    plain = unquote(path)
    same_parts = plain.startswith("/") and plain.count("/") == path.count("/")
    if same_parts and plain.isprintable() and not set(plain) & {*"{}\ufffd"}:
        return plain
    return f"~^{re.escape(path)}$"


def _answer_field(name: str, value: str) -> str:
    """As the rule has it; empty for what the service sets, or what belongs to a body that is not coded any more."""
    if name.lower() in ("server", "content-encoding"):
        return ""
    try:
        split_field(f"{name}: {value}")
    except ValueError:
        return ""
    return f"{name}: {value}"
