"""Files for Qt that are in memory alone: a stylesheet can only name its pictures by path.

A path that begins with ``:/`` is looked up in Qt's resources. What rcc would have compiled is built here: version 1 of
its format (``QResourceRoot`` in qresource.cpp). Files on disk would stay behind when the program is killed.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from PyQt5.QtCore import qRegisterResourceData

_FOLDER = 2
"""The flag of a node that is a folder."""

_kept: dict[str, tuple[bytes, bytes, bytes]] = {}
"""What is registered, by folder. Qt copies none of it."""


def folder(name: str, files: Mapping[str, bytes]) -> str:
    """The path of a folder ``name`` that holds ``files``: theirs are below it. The first call for a name counts."""
    if name not in _kept:
        _kept[name] = compiled = _compiled(name, files)
        qRegisterResourceData(1, *compiled)
    return f":/{name}"


def _compiled(name: str, files: Mapping[str, bytes]) -> tuple[bytes, bytes, bytes]:
    """Its tree, names and data."""
    names, data = bytearray(_name(name)), bytearray()
    tree = bytearray(struct.pack(">IHII", 0, _FOLDER, 1, 1))
    tree += struct.pack(">IHII", 0, _FOLDER, len(files), 2)
    for file in sorted(files, key=_hash):  # Qt searches by halves
        tree += struct.pack(">IHHHI", len(names), 0, 0, 1, len(data))
        names += _name(file)
        data += struct.pack(">I", len(files[file])) + files[file]
    return bytes(tree), bytes(names), bytes(data)


def _name(text: str) -> bytes:
    return struct.pack(">HI", len(text), _hash(text)) + text.encode("utf-16-be")


def _hash(text: str) -> int:
    """As ``qt_hash``."""
    value = 0
    for letter in text:
        value = (value << 4) + ord(letter)
        value = (value ^ ((value & 0xF0000000) >> 23)) & 0x0FFFFFFF
    return value
