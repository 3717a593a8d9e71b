"""The HTTP resource of ``rest``: ``/collection`` and ``/collection/id``."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from twisted.internet.task import deferLater
from twisted.web.resource import Resource

from app.http.answer import JSON, Answer, serve
from app.http.problem_json import Problem
from app.http.request_parts import accepts_json, decoded, field, media_type, parameters, path_of
from app.responders import Context, Options
from app.responders.rest.library import Library
from app.responders.rest.memory import MAX_DOCUMENT, Document, as_id, key_of, with_id
from app.responders.rest.merge_patch import merge
from app.responders.rest.preconditions import check, entity_tag
from app.responders.rest.query import links, parse_query, select
from app.responders.rest.storage import Change
from app.text.strict_json import parse, written

IN_PLACE = 64 << 10
"""Bytes of JSON that are parsed in the reactor's thread. More is parsed in another thread."""

_PATCH_TYPES = ("application/merge-patch+json", "application/json")
_READ, _COLLECTION, _DOCUMENT = ("GET", "HEAD"), ("POST",), ("PUT", "PATCH", "DELETE")


class Rest(Resource):
    isLeaf = True
    parses_forms = False

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__()
        self._context = context
        self._library = Library(options["seed"], options["keep"], options["ids"] == "uuid", context)
        self._names = frozenset(options["collections"])
        self._prefix = [part for part in options["prefix"].encode().split(b"/") if part]
        self._root = "".join("/" + part.decode() for part in self._prefix)
        self._delay, self._page = options["delay"], options["page"]
        self._uuid, self._read_only = options["ids"] == "uuid", options["read_only"]

    def render(self, request: Any) -> int:
        return serve(request, self._answer(request))

    async def _answer(self, request: Any) -> Answer:
        if self._delay:
            await deferLater(self._context.reactor, self._delay, lambda: None)
        if not self._library.ready:
            await self._library.loaded()
        names = self._names_in_path(request)
        method: str = request.method.decode("latin-1")
        allowed = self._allowed(len(names))
        if method == "OPTIONS":
            patched = [(b"Accept-Patch", ", ".join(_PATCH_TYPES).encode())] if b"PATCH" in allowed else []
            return Answer(204, fields=[(b"Allow", allowed), *patched])  # RFC 5789 section 3.1
        if method not in allowed.decode().split(", "):
            raise Problem(405, f"{method} is not for this. Use one of {allowed.decode()}", {b"Allow": allowed})
        if not accepts_json(request):
            raise Problem(406, "Accept leaves out application/json, and there is nothing else")
        if not names:
            return self._overview(request)
        if len(names) == 1:
            return await (self._post(request, *names) if method == "POST" else self._list(request, *names))
        if method in _READ:
            return self._get(request, *names)
        if method == "DELETE":
            return await self._delete(request, *names)
        return await (self._put if method == "PUT" else self._patch)(request, *names)

    def _names_in_path(self, request: Any) -> list[str]:
        """The names in the path below the prefix: none, a collection, or a collection and an id."""
        parts = path_of(request).split(b"/")[1:]
        if parts[-1:] == [b""]:
            parts.pop()
        below = parts[len(self._prefix) :]
        if parts[: len(self._prefix)] != self._prefix or len(below) > 2 or b"" in below:
            raise Problem(404, f"Nothing is here. Documents are at {self._root}/collection/id")
        names = [decoded(part) for part in below]
        if names[1:] and key_of(names[1]) is None:
            raise Problem(404, f"{names[1]} is not an id that works: clients would remove it from a path")
        if names and self._names and names[0] not in self._names:
            raise Problem(404, f"There is no collection {names[0]}, only {', '.join(sorted(self._names))}")
        return names

    def _allowed(self, depth: int) -> bytes:
        changing = ((), _COLLECTION, _DOCUMENT)[depth] if not self._read_only else ()
        return ", ".join((*_READ, *changing, "OPTIONS")).encode()

    # -- reading

    def _overview(self, request: Any) -> Answer:
        names = self._names or self._library.documents.collections
        counts = {name: len(self._library.documents.all(name)) for name in names}
        return _shown(request, written(dict(sorted(counts.items()))) + b"\n")

    async def _list(self, request: Any, name: str) -> Answer:
        query = parse_query(parameters(request), self._page)
        documents = self._library.documents
        bodies = tuple(document.body for document in documents.all(name).values())
        if query.plain or documents.bytes_in(name) <= IN_PLACE:
            page = select(bodies, query, self._page)
        else:
            page = await self._context.in_thread(select, bodies, query, self._page)
        path = f"{self._root}/{quote(name, safe='')}"
        headers = [(b"X-Total-Count", b"%d" % page.total)]
        if link := links(path, query, page):
            headers.append((b"Link", link))
        return _shown(request, page.body, headers)

    def _get(self, request: Any, name: str, key: str) -> Answer:
        document = self._library.documents.all(name).get(key)
        if document is None:
            check(request, None)
            raise _missing(name, key)
        return _shown(request, document.body + b"\n", tag=document.tag)

    # -- changing

    async def _post(self, request: Any, name: str) -> Answer:
        received = await self._received(request, ("application/json",))
        check(request, None)
        documents = self._library.documents
        identifier: Any = received["id"] if "id" in received else documents.next_id(name, self._uuid)
        key = key_of(identifier)
        if key is None:
            raise Problem(422, "The id must be a text that is not empty, or a whole number")
        if key in documents.all(name):
            raise Problem(409, f"{name} has a document with the id {key}. PUT or PATCH that, or leave out the id")
        document = await self._change(name, identifier, with_id(received, identifier))
        location = f"{self._root}/{quote(name, safe='')}/{quote(key, safe='')}".encode()
        return _changed(201, document, [(b"Location", location)])

    async def _put(self, request: Any, name: str, key: str) -> Answer:
        received = await self._received(request, ("application/json",))
        old = self._library.documents.all(name).get(key)
        check(request, old.tag if old else None)
        identifier = old.id if old else self._new_id(received, key)
        _check_id(received, key)
        document = await self._change(name, identifier, with_id(received, identifier))
        return _changed(200 if old else 201, document)

    async def _patch(self, request: Any, name: str, key: str) -> Answer:
        patch = await self._received(request, _PATCH_TYPES)
        old = self._library.documents.all(name).get(key)
        check(request, old.tag if old else None)
        if old is None:
            raise _missing(name, key)
        result = merge(parse(old.body), patch)
        _check_id(result, key)
        return _changed(200, await self._change(name, old.id, with_id(result, old.id)))

    async def _delete(self, request: Any, name: str, key: str) -> Answer:
        old = self._library.documents.all(name).get(key)
        check(request, old.tag if old else None)
        if old is None:
            raise _missing(name, key)
        self._library.documents.delete(name, key)
        await self._keep(Change(name, key, None))
        return Answer(204)

    def _new_id(self, given: dict[str, Any], key: str) -> int | str:
        """The id of a document that is added at ``key``: as it says itself, or as those of its collection are."""
        own = given.get("id")
        return own if isinstance(own, int | str) and key_of(own) == key else as_id(key, self._uuid)

    async def _change(self, name: str, identifier: int | str, body: bytes) -> Document:
        document = self._library.documents.put(name, identifier, body)
        await self._keep(Change(name, str(identifier), body))
        return document

    async def _keep(self, change: Change) -> None:
        stored = self._library.keep(change)
        if stored is not None:
            await stored

    async def _received(self, request: Any, types: tuple[str, ...]) -> dict[str, Any]:
        """The JSON object in the request's body, of one of these media types. Raises Problem."""
        content_type = media_type(request)
        # Browsers send a body without Content-Type across origins without a CORS preflight, so that any
        # web page could change documents: with Origin, the type is required.
        if content_type not in types and (content_type or field(request, b"origin")):
            hint = {b"Accept-Patch": ", ".join(types).encode()} if types is _PATCH_TYPES else {}
            text = f"The body is said to be {content_type or 'nothing'}. Send Content-Type: {types[0]}"
            raise Problem(415, text, hint)
        encoding = field(request, b"content-encoding").strip().lower()
        if encoding not in ("", "identity"):
            text = f"The body is coded as {encoding}. Send it as it is"
            raise Problem(415, text, {b"Accept-Encoding": b"identity"})
        body: bytes = request.content.read()
        if len(body) > MAX_DOCUMENT:
            raise Problem(413, f"The body is larger than {MAX_DOCUMENT >> 20} MiB")
        try:
            if len(body) > IN_PLACE:
                value = await self._context.in_thread(_parse_checked, body)
                if not self._library.ready:
                    await self._library.loaded()
            else:
                value = _parse_checked(body)
        except ValueError as e:
            raise Problem(400, f"The body is not JSON that can be kept: {e}") from e
        if not isinstance(value, dict):
            raise Problem(422, "A document must be a JSON object")
        return value


def _parse_checked(body: bytes) -> Any:
    """Parse JSON. Raises ValueError also for values that cannot be serialized again."""
    value = parse(body)
    written(value)
    return value


def _shown(
    request: Any, body: bytes, headers: list[tuple[bytes, bytes]] | None = None, tag: bytes | None = None
) -> Answer:
    tag = tag or entity_tag(body)
    all_headers = [*(headers or ()), (b"ETag", tag)]
    if check(request, tag):
        return Answer(304, fields=all_headers)
    return Answer(200, body, [JSON, *all_headers])


def _changed(status: int, document: Document, headers: list[tuple[bytes, bytes]] | None = None) -> Answer:
    return Answer(status, document.body + b"\n", [JSON, (b"ETag", document.tag), *(headers or ())])


def _check_id(document: dict[str, Any], key: str) -> None:
    if "id" in document and key_of(document["id"]) != key:
        raise Problem(422, f"The id in the body is not {key}, as in the path. Leave it out, or PUT it there")


def _missing(name: str, key: str) -> Problem:
    return Problem(404, f"{name} has no document with the id {key}")
