"""Renders the program's icon in the formats of each system, from ``resources/icons/listening-post.svg``.

    python packaging/icons.py FOLDER

writes listening-post.ico (Windows), listening-post.icns (macOS) and listening-post-<size>.png into it.
"""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "resources" / "icons" / "listening-post.svg"

ICO = (16, 20, 24, 32, 40, 48, 64, 256)
ICNS = {b"icp4": 16, b"icp5": 32, b"icp6": 64, b"ic07": 128, b"ic08": 256, b"ic09": 512, b"ic10": 1024,
        b"ic11": 32, b"ic12": 64, b"ic13": 256, b"ic14": 512}  # fmt: skip
"""Types of pictures in an ICNS file, and the width of each in pixels. The last four are for HiDPI displays."""
PNG = (16, 22, 24, 32, 48, 64, 128, 256, 512)


def png(size: int) -> bytes:
    """The icon as a PNG, ``size`` pixels wide and high. A QGuiApplication must exist."""
    from PyQt5.QtCore import QBuffer, QIODevice, Qt
    from PyQt5.QtGui import QImage, QPainter
    from PyQt5.QtSvg import QSvgRenderer

    image = QImage(size, size, QImage.Format_ARGB32)
    image.fill(Qt.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(SOURCE)).render(painter)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(buffer.data())


def ico(pictures: dict[int, bytes]) -> bytes:
    """An ICO file (Windows): a header, a table with 16 bytes for each picture, the pictures."""
    at = 6 + 16 * len(pictures)
    rows = b""
    for size, data in pictures.items():
        rows += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(data), at)
        at += len(data)
    return struct.pack("<HHH", 0, 1, len(pictures)) + rows + b"".join(pictures.values())


def icns(pictures: dict[bytes, bytes]) -> bytes:
    """An ICNS file (macOS): type and length of the file, then each picture after its type and length."""
    body = b"".join(kind + struct.pack(">I", 8 + len(data)) + data for kind, data in pictures.items())
    return b"icns" + struct.pack(">I", 8 + len(body)) + body


def write(folder: Path) -> None:
    """Write the icon in all formats."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from PyQt5.QtGui import QGuiApplication

    application = QGuiApplication(sys.argv[:1])
    drawn = {size: png(size) for size in {*ICO, *ICNS.values(), *PNG}}
    del application
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "listening-post.ico").write_bytes(ico({size: drawn[size] for size in ICO}))
    (folder / "listening-post.icns").write_bytes(icns({kind: drawn[size] for kind, size in ICNS.items()}))
    for size in PNG:
        (folder / f"listening-post-{size}.png").write_bytes(drawn[size])


if __name__ == "__main__":
    write(Path(sys.argv[1]))
