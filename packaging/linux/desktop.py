"""Installs the files for Linux desktops below a prefix: menu entry, metadata, MIME types, icons.

python packaging/linux/desktop.py PREFIX        for example build/deb/usr, or ~/.local
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from PyQt5.QtCore import QRectF, Qt
from PyQt5.QtGui import QGuiApplication, QImage, QPainter
from PyQt5.QtSvg import QSvgRenderer

HERE = Path(__file__).resolve().parent
DRAWING = HERE.parents[1] / "resources" / "icons" / "listening-post.svg"
SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)

PLACES = {
    "listening-post.desktop": "applications",
    "listening-post.xml": "mime/packages",
    "org.listeningpost.ListeningPost.metainfo.xml": "metainfo",
}


def lay(prefix: Path) -> None:
    """Write all files below ``prefix``/share."""
    share = prefix / "share"
    for name, folder in PLACES.items():
        _copy(HERE / name, share / folder / name)
    icons = share / "icons" / "hicolor"
    _copy(DRAWING, icons / "scalable" / "apps" / "listening-post.svg")
    for size in SIZES:
        path = icons / f"{size}x{size}" / "apps" / "listening-post.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not drawn(size).save(str(path)):
            raise OSError(f"{path} cannot be written")


def drawn(size: int) -> QImage:
    """The program's icon, ``size`` pixels wide and high."""
    image = QImage(size, size, QImage.Format_ARGB32_Premultiplied)
    image.fill(Qt.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(DRAWING)).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return image


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


if __name__ == "__main__":
    application = QGuiApplication(["desktop", "-platform", "offscreen"])  # QtSvg needs one for fonts
    lay(Path(sys.argv[1]))
