"""Pictures from bytes that peers send."""

from __future__ import annotations

import struct
import zlib

import pytest
from PyQt5.QtCore import QBuffer, QIODevice
from PyQt5.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from tests.ui.detail.page_samples import shown
from tests.ui.event_samples import event
from ui.detail.page import Subject
from ui.detail.pages.image import ImagePage
from ui.detail.picture import MAX_PIXELS, decode

pytestmark = pytest.mark.usefixtures("dark")


def picture(format: str, width: int = 40, height: int = 20) -> bytes:
    image = QImage(width, height, QImage.Format_RGB32)
    image.fill(QColor("#4aa8ff"))
    buffer = QBuffer()
    buffer.open(QIODevice.WriteOnly)
    assert image.save(buffer, format)
    return bytes(buffer.data())


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header claims a larger size than it has."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("format", ["PNG", "JPEG", "BMP", "WebP"])
def test_pictures_are_decoded_and_measured(format: str) -> None:
    image, words = decode(picture(format))
    assert (image.width(), image.height()) == (40, 20)
    assert words == f"{format}, 40 × 20 pixels"


def test_a_gif_is_decoded() -> None:
    data = bytes.fromhex("47494638396101000100800000ff0000ffffff2c00000000010001000002024401003b")
    image, words = decode(data)
    assert (image.pixelColor(0, 0).name(), words) == ("#ff0000", "GIF, 1 × 1 pixels")


def test_a_bomb_is_not_unpacked() -> None:
    image, words = decode(bomb(100_000, 100_000))
    assert image.isNull()
    assert words.startswith("PNG, 100,000 × 100,000 pixels: too large to show here")
    assert MAX_PIXELS < 100_000**2


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPjunk", b"GIF89a"])
def test_a_damaged_one_is_said_to_be(data: bytes) -> None:
    image, words = decode(data)
    assert image.isNull()
    assert "cannot be read" in words


@pytest.mark.parametrize("data", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF", b"", b"/etc/passwd"])
def test_other_formats_are_never_tried(data: bytes) -> None:
    image, words = decode(data)
    assert (image.isNull(), words) == (True, "This is not a picture that can be shown here")


def test_a_picture_is_shown_once_it_is_decoded(qtbot: QtBot) -> None:
    page = ImagePage()
    with qtbot.waitSignal(page.view.decoded):
        shown(qtbot, page, event(payload=picture("PNG", 3000, 100)))
    grabbed = page.view.grab().toImage()
    assert grabbed.pixelColor(20, 14).name() == "#4aa8ff"
    assert page.copied() == "PNG, 3,000 × 100 pixels"


def test_only_the_last_one_asked_for_is_shown(qtbot: QtBot) -> None:
    page = ImagePage()
    with qtbot.waitSignal(page.view.decoded):
        shown(qtbot, page, event(payload=picture("PNG", 3000, 1000)))
        page.show_subject(Subject(event(payload=picture("PNG", 5, 5))))
    assert page.view.image().width() == 5
