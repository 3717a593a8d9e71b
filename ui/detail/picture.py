"""Shows pictures from peers. They are decoded in a thread, up to a maximum size; nothing is ever fetched."""

from __future__ import annotations

from PyQt5.QtCore import QBuffer, QByteArray, QCoreApplication, QObject, QRunnable, QSize, Qt, QThreadPool, pyqtSignal
from PyQt5.QtGui import QImage, QImageReader, QPainter, QPaintEvent
from PyQt5.QtWidgets import QWidget

from app.http.contents import image_format

MAX_PIXELS = 16_000_000
"""Pixels of a picture. A larger one is not shown: it may be small on the wire and need over 64 MB of memory."""


def decode(data: bytes) -> tuple[QImage, str]:
    """The picture (PNG, JPEG, GIF, WebP or BMP; of an animation the first one), and a text for the user.

    The text has format and size. If the picture cannot be shown, it is null and the text says why.
    """
    format = image_format(data)
    if not format:
        return QImage(), QCoreApplication.translate("Picture", "This is not a picture that can be shown here")
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    reader = QImageReader(buffer, QByteArray(format.encode()))
    reader.setAutoDetectImageFormat(False)
    size = reader.size()
    name = "WebP" if format == "webp" else format.upper()
    words = QCoreApplication.translate("Picture", "{format}, {width:,} × {height:,} pixels")
    words = words.format(format=name, width=size.width(), height=size.height())
    if size.isValid() and size.width() * size.height() > MAX_PIXELS:
        large = QCoreApplication.translate(
            "Picture", "{picture}: too large to show here.\nSave it to look at it with another program."
        )
        return QImage(), large.format(picture=words)
    image = reader.read() if size.isValid() else QImage()
    if image.isNull():
        broken = QCoreApplication.translate(
            "Picture", "This should be {format}, but it cannot be read: it may be damaged or cut short"
        )
        return QImage(), broken.format(format=name)
    return image, words


class _DecodedSignal(QObject):
    done = pyqtSignal(int, QImage, str)


class _Decoding(QRunnable):
    def __init__(self, number: int, data: bytes) -> None:
        super().__init__()
        self._number, self._data = number, data
        self.signal = _DecodedSignal()

    def run(self) -> None:
        image, words = decode(self._data)
        self.signal.done.emit(self._number, image, words)


class PictureView(QWidget):
    """Shows one picture, scaled down if it does not fit.

    Attributes:
        words: format and size, or why there is no picture.

    Signals:
        decoded: the picture, or an error, is shown.
    """

    decoded = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image, self.words = QImage(), ""
        self._number = 0
        self.setFocusPolicy(Qt.StrongFocus)
        self.setAccessibleName(self.tr("Picture"))

    def image(self) -> QImage:
        """The picture; null if there is none."""
        return self._image

    def show_picture(self, data: bytes) -> None:
        """Decode a picture in a thread, then show it."""
        self._number += 1
        self._set(QImage(), "")
        job = _Decoding(self._number, data)
        job.signal.done.connect(self._on_decoded)
        pool = QThreadPool.globalInstance()
        assert pool is not None
        pool.start(job)

    def _on_decoded(self, number: int, image: QImage, words: str) -> None:
        if number == self._number:  # unless another picture was requested since
            self._set(image, words)
            self.decoded.emit()

    def _set(self, image: QImage, words: str) -> None:
        self._image, self.words = image, words
        self.setAccessibleDescription(words)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        area = self.rect().adjusted(16, 12, -16, -12)
        if self._image.isNull():
            painter.setPen(self.palette().placeholderText().color())
            painter.drawText(area, Qt.AlignCenter | Qt.TextWordWrap, self.words)
            return
        line = self.fontMetrics().height() + 8
        room = QSize(area.width(), max(area.height() - line, 1))
        size = self._image.size()
        if size.width() > room.width() or size.height() > room.height():
            size.scale(room, Qt.KeepAspectRatio)
        painter.setRenderHint(QPainter.SmoothPixmapTransform)
        target = area.adjusted(0, 0, size.width() - area.width(), size.height() - area.height())
        painter.drawImage(target, self._image)
        painter.setPen(self.palette().placeholderText().color())
        painter.drawText(area.left(), target.bottom() + line - 4, self.words)
