"""Serves the files of a folder."""

from __future__ import annotations

import secrets
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from app.files import confined
from app.options import live
from app.responders import Context, Option, Options, Responder

if TYPE_CHECKING:
    from app.http.answer import Answer
    from app.responders.static.lookup import Folder, Found, Listing

ALLOWED = b"GET, HEAD, OPTIONS"


class Files:
    """Answers requests with the files of a folder. The disk is only accessed in threads."""

    def __init__(self, folder: Folder, fallback: str, context: Context) -> None:
        self._folder, self._context = folder, context
        self._fallback = [name for name in fallback.split("/") if name]

    async def answer(self, request: Any) -> Answer | None:
        from app.http.answer import Answer
        from app.http.request_parts import path_of
        from app.responders.static import lookup

        if request.method not in (b"GET", b"HEAD"):
            status = 204 if request.method == b"OPTIONS" else 405
            return Answer(status, _words(status), [(b"Allow", ALLOWED), *_PLAIN])
        path = path_of(request)
        names = self._folder.names(path)
        found = None
        if names is not None:
            found = await self._find(names, path.endswith(b"/"))
        if found is None and self._fallback and names is not None and not (names and "." in names[-1]):
            found = await self._find(self._fallback, False)
        if isinstance(found, lookup.Found):
            return await self._file(request, found)
        if names is not None and isinstance(found, lookup.Moved):
            return _moved(names, request)
        if names is not None and isinstance(found, lookup.Listing):
            return await self._listing(request, found, names)
        status = 403 if isinstance(found, lookup.Forbidden) else 404
        return Answer(status, _words(status), _PLAIN)

    def _find(self, names: list[str], slash: bool) -> Deferred[Any]:
        """Look up a path in a thread. A file that is found after the request was cancelled is closed."""
        waiting: Deferred[Any] = Deferred()

        def got(found: Any) -> None:
            if not waiting.called:
                waiting.callback(found)
            elif getattr(found, "file", None) is not None:
                self._context.in_thread(found.close)

        self._context.in_thread(self._folder.find, names, slash).addCallbacks(got, waiting.errback)
        return waiting

    async def _listing(self, request: Any, found: Listing, names: list[str]) -> Answer:
        from app.http.answer import Answer
        from app.http.request_parts import field
        from app.responders.static import listing

        wanted = field(request, b"accept").lower()
        fields = [(b"Vary", b"Accept"), (b"Cache-Control", b"no-cache"), _NO_SNIFFING]
        if "application/json" in wanted and "text/html" not in wanted:
            body = await self._context.in_thread(listing.as_json, found)
            return Answer(200, body, [(b"Content-Type", b"application/json"), *fields])
        body = await self._context.in_thread(listing.page, found, names)
        fields += [(b"Content-Type", b"text/html; charset=utf-8"), (b"Content-Security-Policy", listing.POLICY)]
        return Answer(200, body, fields)

    async def _file(self, request: Any, found: Found) -> Answer | None:
        from app.http.answer import Answer
        from app.http.request_parts import field
        from app.responders.static.preconditions import Validators, ranges

        try:
            validators, get = Validators(found.size, found.modified), partial(field, request)
            fields = [
                (b"ETag", validators.etag.encode()),
                (b"Last-Modified", validators.modified.encode()),
                (b"Cache-Control", b"no-cache"),
                (b"Accept-Ranges", b"bytes"),
                _NO_SNIFFING,
            ]
            status = validators.status(get)
            if status != 200:
                plain = [] if status == 304 else _PLAIN[:1]
                return Answer(status, b"" if status == 304 else _words(status), fields + plain)
            spans = None
            if request.method == b"GET" and validators.wants_ranges(get) and (asked := get(b"range")):
                spans = ranges(asked, found.size)
            if spans == []:
                return Answer(416, _words(416), [(b"Content-Range", b"bytes */%d" % found.size), *_PLAIN])
            await self._send(request, found, spans, fields)
            return None
        finally:
            if found.file is not None:
                self._context.in_thread(found.close)

    async def _send(self, request: Any, found: Found, spans: Any, fields: list[tuple[bytes, bytes]]) -> None:
        from app.responders.static.lookup import FileChangedError
        from app.responders.static.sending import send

        kind, parts, length = _parts(found, spans)
        request.setResponseCode(206 if spans else 200)
        for name, value in [(b"Content-Type", kind), (b"Content-Length", b"%d" % length), *fields]:
            request.setHeader(name, value)
        if spans and len(spans) == 1:
            (start, stop) = spans[0]
            request.setHeader(b"Content-Range", b"bytes %d-%d/%d" % (start, stop - 1, found.size))
        if request.method == b"HEAD":
            request.write(b"")
        elif found.content is not None:
            request.write(b"".join(before + found.content[start:stop] for before, start, stop in parts))
        else:
            try:
                await send(request, found, parts, self._context.in_thread)
            except FileChangedError:
                why = "the file changed while it was sent"
                self._context.log(f"{request.path.decode('latin-1')!a}: {why}")
                request.cut(why)
                return
        request.finish()


def _parts(found: Found, spans: list[tuple[int, int]] | None) -> tuple[bytes, list[tuple[bytes, int, int]], int]:
    """Content-Type, parts and length of a response with these ranges of the file; None: the whole file."""
    kind = found.type.encode()
    if not spans or len(spans) == 1:
        (start, stop) = spans[0] if spans else (0, found.size)
        return kind, [(b"", start, stop)], stop - start
    boundary = secrets.token_hex(16).encode()
    parts, length = [], 0
    for start, stop in spans:
        span = b"bytes %d-%d/%d" % (start, stop - 1, found.size)
        before = b"\r\n--%s\r\nContent-Type: %s\r\nContent-Range: %s\r\n\r\n" % (boundary, kind, span)
        parts.append((before, start, stop))
        length += len(before) + stop - start
    end = b"\r\n--%s--\r\n" % boundary
    return b"multipart/byteranges; boundary=" + boundary, [*parts, (end, 0, 0)], length + len(end)


def _moved(names: list[str], request: Any) -> Answer:
    from app.http.answer import Answer
    from app.responders.static.listing import quoted

    # Built from the names, not from the request's path: a browser may read that as //elsewhere.example/.
    where = f"/{'/'.join(map(quoted, names))}/".encode()
    _, mark, query = request.uri.partition(b"?")
    return Answer(301, _words(301), [(b"Location", where + mark + query), *_PLAIN])


_NO_SNIFFING = (b"X-Content-Type-Options", b"nosniff")
_PLAIN = [(b"Content-Type", b"text/plain; charset=utf-8"), _NO_SNIFFING]

_WORDS = {
    204: b"",
    301: b"Moved: this is a folder.\n",
    403: b"Forbidden: the system does not let us read this.\n",
    404: b"Not found.\n",
    405: b"Files can be read, and nothing else.\n",
    412: b"It is not the version that was asked for.\n",
    416: b"The file has no such range.\n",
}


def _words(status: int) -> bytes:
    return _WORDS[status]


def _http(options: Options, context: Context) -> Any:
    from twisted.web.resource import Resource

    from app.http.answer import serve
    from app.responders.static.lookup import Folder

    root, within = _root(context.folder, options["root"])
    folder = Folder(root, options["index"], options["listing"], options["hidden"], within)
    files = Files(folder, options["fallback"], context)

    def look(there: bool) -> None:
        if not there:
            context.log(f"the folder {root} does not exist: every request is answered with 404")

    context.in_thread(root.is_dir).addCallback(look)

    class Static(Resource):
        isLeaf = True
        parses_forms = False

        def render(self, request: Any) -> int:
            return serve(request, files.answer(request))

    return Static()


def _root(folder: Path, name: str) -> tuple[Path, Path]:
    """The root, and the folder that it has to be in for as long as the service runs.

    That is the workspace's, if the root is in there now; else the one that the root leads to now, and that was
    allowed by whoever opened the workspace: a link that is put in its place later must lead nowhere else.
    """
    root = confined.named(folder, name)
    outside = confined.leads_out(folder, name)
    return root, folder.resolve() if outside is None else outside


def _name(text: str) -> str | None:
    return "must be the name of a file, without slashes" if "/" in text or "\\" in text else None


RESPONDER = Responder(
    "static",
    "Serves the files of a folder",
    {"http": _http},
    live(
        Option(
            "root", str, "", "The folder; a relative path starts at the workspace's folder", required=True,
            check=lambda root: None if root and "\0" not in root else "must name a folder", path="folder",
        ),
        Option("index", str, "index.html", "File to send for a folder; empty: none", check=_name),
        Option("listing", bool, True, "List folders without an index file, as a page or as JSON"),
        Option("fallback", str, "", "File to send for a missing path without an extension, for single-page apps"),
        Option("hidden", bool, False, "Also serve files whose names start with a dot"),
    ),
    guarded=True,
)  # fmt: skip
