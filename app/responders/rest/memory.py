"""Documents in memory, oldest first, with limits on their number and size."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import uuid4

from app.http.problem_json import Problem
from app.responders.rest.preconditions import entity_tag
from app.text.strict_json import written

MAX_COLLECTIONS = 10_000
MAX_DOCUMENTS = 100_000
MAX_DOCUMENT = 1 << 20
"""Bytes of one document."""
MAX_BYTES = 256 << 20
"""Bytes of all documents."""
MAX_NAME = 255
"""Characters of an id or a collection's name."""

_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")  # integers up to 15 digits, which all JSON parsers keep exactly


class Document(NamedTuple):
    """A document as it is sent, in JSON, its entity tag, and its id: a number or a text, as when it was added."""

    body: bytes
    tag: bytes
    id: int | str


@dataclass(slots=True)
class Collection:
    """The documents of one collection.

    Attributes:
        documents: by id, oldest first.
        bytes: size of all bodies.
        largest_id: the largest id so far that is a number.
    """

    documents: dict[str, Document] = field(default_factory=dict)
    bytes: int = 0
    largest_id: int = 0


_EMPTY: Mapping[str, Document] = MappingProxyType({})


class Documents:
    """All collections. A change that would exceed a limit raises Problem, and changes nothing."""

    def __init__(self) -> None:
        self.collections: dict[str, Collection] = {}
        self._count = self._bytes = 0

    def all(self, name: str) -> Mapping[str, Document]:
        """The documents of a collection, by id."""
        collection = self.collections.get(name)
        return collection.documents if collection else _EMPTY

    def bytes_in(self, name: str) -> int:
        collection = self.collections.get(name)
        return collection.bytes if collection else 0

    def next_id(self, name: str, uuid: bool = False) -> int | str:
        """A new id for a document of this collection: a UUID, or the next number."""
        if uuid:
            return str(uuid4())
        collection = self.collections.get(name)
        number = collection.largest_id + 1 if collection else 1
        while str(number) in self.all(name):
            number += 1
        return number

    def put(self, name: str, identifier: int | str, body: bytes) -> Document:
        """Add a document, or replace the document with this id. Raises Problem 413, 422 or 507."""
        key = str(identifier)
        self._check_names(name, key, len(body))
        collection = self.collections.get(name)
        old = collection.documents.get(key) if collection else None
        grown = len(body) - (len(old.body) if old else 0)
        if old is None and self._count >= MAX_DOCUMENTS:
            raise Problem(507, f"There are {MAX_DOCUMENTS:,} documents, which is all there can be. Delete some")
        if self._bytes + grown > MAX_BYTES:
            raise Problem(507, f"All documents would be larger than {MAX_BYTES >> 20} MiB. Delete some")
        if collection is None:
            if len(self.collections) >= MAX_COLLECTIONS:
                raise Problem(507, f"There are {MAX_COLLECTIONS:,} collections, which is all there can be")
            collection = self.collections[name] = Collection()
        document = collection.documents[key] = Document(body, entity_tag(body), identifier)
        collection.bytes += grown
        self._bytes += grown
        self._count += old is None
        if _NUMBER.fullmatch(key):
            collection.largest_id = max(collection.largest_id, int(key))
        return document

    def delete(self, name: str, key: str) -> None:
        """Delete a document that exists."""
        collection = self.collections[name]
        size = len(collection.documents.pop(key).body)
        collection.bytes -= size
        self._bytes -= size
        self._count -= 1

    def _check_names(self, name: str, key: str, size: int) -> None:
        if size > MAX_DOCUMENT:
            raise Problem(413, f"The document is larger than {MAX_DOCUMENT >> 20} MiB")
        if len(name) > MAX_NAME or len(key) > MAX_NAME:
            raise Problem(422, f"The name of a collection and an id have at most {MAX_NAME} characters")


def key_of(identifier: object) -> str | None:
    """A document's ``id`` as a path segment; None if it is not a text or number, empty, or a dot segment.

    Clients remove dot segments from a path (RFC 3986 section 5.2.4).
    """
    if isinstance(identifier, bool) or not isinstance(identifier, int | str):
        return None
    return None if identifier in ("", ".", "..") else str(identifier)


def with_id(document: dict[str, Any], identifier: int | str) -> bytes:
    """``document`` in JSON, with the id ``identifier``: first if it has none, else in its place."""
    return written(document | {"id": identifier} if "id" in document else {"id": identifier, **document})


def as_id(key: str, uuid: bool) -> int | str:
    """The id for a document that is put at the path segment ``key`` and has no id of its own."""
    return int(key) if not uuid and _NUMBER.fullmatch(key) else key
