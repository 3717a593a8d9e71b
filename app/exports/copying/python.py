"""A request as a program in Python."""

from __future__ import annotations

import re
import textwrap

from app.exports.copying.request import Asked
from app.text.escapes import one_line


def as_python(request: Asked) -> str:
    """A program for Python 3, of its standard library only, which makes the request again."""
    target = request.target.decode("latin-1")
    path = target if target.startswith("/") else "/"
    quoted = re.sub(r"[^!\"$-~]", lambda found: f"%{ord(found[0]):02X}", path)
    headers: dict[str, str] = {}
    for name, value in request.headers:
        if name.lower() != "transfer-encoding":
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    remarks = list(request.remarks)
    if path != target:
        remarks.append(f"The target was {one_line(target)}, which urllib cannot send.")
    lines = [f"# {one_line(remark)}" for remark in remarks]
    lines += [*(["import ssl"] if request.secure else []), "import urllib.error", "import urllib.request", ""]
    lines += ["request = urllib.request.Request(", f"    {request.url + quoted!r},", f"    method={request.method!r},"]
    if headers:
        lines += ["    headers={", *(f"        {name!r}: {value!r}," for name, value in headers.items()), "    },"]
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
