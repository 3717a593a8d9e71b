"""Documents in memory: in order of their coming, within bounds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import uuid4

from app.http.problem_json import Problem
from app.responders.rest.preconditions import tag_of
from app.text.strict_json import written

MAX_COLLECTIONS = 10_000
MAX_DOCUMENTS = 100_000
MAX_DOCUMENT = 1 << 20
"""Bytes of one document."""
MAX_BYTES = 256 << 20
"""Bytes of all documents."""
MAX_NAME = 255
"""Characters of an id or a collection's name."""

_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")  # so far, all JSON readers count without loss


class Document(NamedTuple):
    """A document as it is sent, its entity tag, and its id: a number or a text, as when it was added."""

    body: bytes
    tag: bytes
    id: int | str


@dataclass(slots=True)
class Collection:
    """Attributes:
    documents: by id, oldest first.
    bytes: of their bodies.
    top: the largest id so far that is a number.
    """

    documents: dict[str, Document] = field(default_factory=dict)
    bytes: int = 0
    top: int = 0


_EMPTY: Mapping[str, Document] = MappingProxyType({})


class Documents:
    """All collections. What breaks a bound raises Problem, and changes nothing."""

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
        """An id that no document of the collection has."""
        if uuid:
            return str(uuid4())
        collection = self.collections.get(name)
        number = collection.top + 1 if collection else 1
        while str(number) in self.all(name):
            number += 1
        return number

    def put(self, name: str, identifier: int | str, body: bytes) -> Document:
        """Add a document, or put it in the place of the one of this id."""
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
        document = collection.documents[key] = Document(body, tag_of(body), identifier)
        collection.bytes += grown
        self._bytes += grown
        self._count += old is None
        if _NUMBER.fullmatch(key):
            collection.top = max(collection.top, int(key))
        return document

    def delete(self, name: str, key: str) -> None:
        """Delete a document that is there."""
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
    """An ``id`` as it stands in a path; None for what is none, or would be taken out of a path.

    (RFC 3986 section 5.2.4.)
    """
    if isinstance(identifier, bool) or not isinstance(identifier, int | str):
        return None
    return None if identifier in ("", ".", "..") else str(identifier)


def with_id(document: dict[str, Any], identifier: int | str) -> bytes:
    """``document`` as it is kept, with this id: first where it had none, else in its place."""
    return written(document | {"id": identifier} if "id" in document else {"id": identifier, **document})


def as_id(key: str, uuid: bool) -> int | str:
    """The id of a document that is put at ``key`` and does not say one."""
    return int(key) if not uuid and _NUMBER.fullmatch(key) else key
