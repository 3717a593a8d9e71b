"""The listing of a folder, as an HTML page or as JSON."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from html import escape
from urllib.parse import quote_from_bytes

from app.responders.static.lookup import Entry, Listing
from app.text.escapes import amount

POLICY = b"default-src 'none'; style-src 'unsafe-inline'"
"""The page's Content-Security-Policy: no script can run, whatever the files' names contain."""

_LAST = datetime.max.replace(tzinfo=UTC, microsecond=0).timestamp()

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>body{{font:15px/1.6 system-ui,sans-serif;margin:2em}}td{{padding-right:2em}}
td+td{{color:gray;text-align:right;font-variant-numeric:tabular-nums}}</style></head>
<body><h1>{title}</h1><table>
{rows}
</table>{cut}</body></html>
"""


def page(listing: Listing, names: list[str]) -> bytes:
    """The listing as an HTML page; ``names`` is the folder's path below the root."""
    title = escape(f"/{'/'.join(map(_shown, names))}{'/' if names else ''}")
    rows = ['<tr><td><a href="../">../</a></td></tr>'] if names else []
    rows += map(_row, listing.entries)
    cut = f"<p>Only {len(listing.entries):,} of more are listed.</p>" if listing.cut else ""
    return _PAGE.format(title=title, rows="\n".join(rows), cut=cut).encode()


def _row(entry: Entry) -> str:
    slash = "/" if entry.size is None else ""
    # Without "./", browsers would read "mailto:" in a file's name as a scheme.
    link = f"./{quoted(entry.name)}{slash}"
    size = "" if entry.size is None else amount(entry.size)
    name = f'<a href="{link}">{escape(_shown(entry.name))}{slash}</a>'
    return f"<tr><td>{name}</td><td>{size}</td><td>{_time(entry)}</td></tr>"


def as_json(listing: Listing) -> bytes:
    """The listing as a JSON array of objects.

    Each has ``name``, ``type`` (``file`` or ``folder``), ``size`` in bytes or null, and ``modified``
    (UTC, as 2026-01-31T12:00:00Z).
    """
    entries = [
        {
            "name": _shown(entry.name),
            "type": "folder" if entry.size is None else "file",
            "size": entry.size,
            "modified": _time(entry),
        }
        for entry in listing.entries
    ]
    return json.dumps(entries, ensure_ascii=False).encode()


def quoted(name: str) -> str:
    """A file's name, percent-encoded as a path segment of a URI."""
    return quote_from_bytes(os.fsencode(name), safe="")


def _shown(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "replace")


def _time(entry: Entry) -> str:
    # Some file systems hold times outside the years that datetime can express.
    return datetime.fromtimestamp(min(max(entry.modified, 0), _LAST), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
