"""JSON and XML indented: the text as it came, with other white space.

Nothing is parsed into values: numbers keep their digits, doubled names stay, and what is not
quite JSON or XML comes out, too. Entities are not expanded, nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

INDENT = 2
MAX_INDENT = 40 * INDENT
"""Spaces after which deeper levels are no longer moved to the right: a bracket must not cost a kilobyte."""

_JSON = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]++|"', re.DOTALL)
_PAIRS = {"{": "}", "[": "]"}


def json_lines(text: str) -> Iterator[str]:
    """The lines of JSON, or of several values one after the other."""
    depth, line, opened = 0, "", ""
    for match in _JSON.finditer(text):
        token = match[0]
        if opened and token != _PAIRS[opened]:
            yield line
            depth += 1
            line = _indent(depth)
        if token in "}]":
            if not opened:
                if line.strip():
                    yield line
                depth = max(depth - 1, 0)
                line = _indent(depth)
            line += token
            opened = ""
        elif token == ",":
            yield line + ","
            line, opened = _indent(depth), ""
        elif token == ":":
            line, opened = line + ": ", ""
        else:
            if line.strip() and not line.endswith(": "):
                yield line  # another value without a comma, as in JSON lines
                line = _indent(depth)
            line += token
            opened = token if token in _PAIRS else ""
    if line.strip():
        yield line


def _indent(depth: int) -> str:
    return " " * min(depth * INDENT, MAX_INDENT)


_TAG = re.compile(r"""<(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""")
_ENDS = (("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"))


def xml_lines(text: str) -> Iterator[str]:
    """The elements of XML, each on a line of its own; text and comments of several lines stay together."""
    depth, line, open_ = 0, "", False
    for token in _xml_tokens(text):
        closing = token.startswith("</")
        if token.startswith("<![CDATA[") or not token.startswith("<"):
            token = token if token.startswith("<") else token.strip()
            if not token:
                continue
            if line and not open_:
                yield line
                line = ""
            line = line + token if line else _indent(depth) + token
            continue
        if closing:
            depth = max(depth - 1, 0)
            if open_:
                yield line + token
                line, open_ = "", False
                continue
        if line:
            yield line
        line = _indent(depth) + token
        open_ = not closing and not token.endswith("/>") and token[1:2] not in ("!", "?")
        depth += open_
    if line:
        yield line


def _xml_tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        end = _markup_end(text, at) if text[at] == "<" else text.find("<", at)
        if end < 0:
            end = len(text)
        yield text[at:end]
        at = end


def _markup_end(text: str, at: int) -> int:
    for begin, end in _ENDS:
        if text.startswith(begin, at):
            found = text.find(end, at + len(begin))
            return found + len(end) if found >= 0 else -1
    if match := _TAG.match(text, at):
        return match.end()
    found = text.find(">", at)
    return found + 1 if found >= 0 else -1
