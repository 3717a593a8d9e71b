"""Two themes, one stylesheet, and a signal when the theme changes.

Widgets get their appearance from the palette and from ``resources/themes/app.qss``, a template
for both themes. Code that paints by itself calls ``current()`` each time it paints; code that
keeps coloured objects connects to ``notifier.changed``.

Dynamic properties that the stylesheet knows:

``primary=True``     on a push or tool button: the main action of a dialog or form.
``role=...``         on a label: ``heading``, ``title``, ``dim``, ``error``, ``warning`` or ``mono``; on
                     a text edit: ``mono``; on a button: ``error``.
``surface=...``      on any frame: ``window``, ``panel`` or ``raised``; on a text edit ``panel``, which
                     makes it fill a page instead of standing in a form.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from string import Template
from typing import Literal

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtGui import QColor, QFont, QFontDatabase, QFontMetrics, QGuiApplication, QPalette
from PyQt5.QtWidgets import QApplication, QStyleFactory

from ui.looks import in_memory

AA_TEXT = 4.5
"""The contrast that WCAG 2.1, 1.4.3 requires for text in normal size."""

UI_FAMILIES = ("Inter", "Segoe UI", "SF Pro Text", "Cantarell", "Noto Sans", "Ubuntu", "DejaVu Sans")
MONO_FAMILIES = (
    "JetBrains Mono", "Cascadia Mono", "SF Mono", "Menlo", "Consolas", "Noto Sans Mono", "DejaVu Sans Mono",
    "Liberation Mono", "Courier New",
)  # fmt: skip

# An inch on the screen has 72 pixels on macOS, 96 elsewhere.
POINTS = 13 if sys.platform == "darwin" else 10
"""The default size of text, in points."""


MIN_LINE = 18
"""Pixels that a line in a field has at least."""


@dataclass(frozen=True)
class Theme:
    """The colours of one theme, each as ``#rrggbb``.

    On a selected row, all text is ``selected_text`` or ``selected_dim``: the contrast of the state
    colours is only sufficient on ``window``, ``panel`` and ``raised``.

    Attributes:
        window, panel, raised: surfaces, from the back to the front.
        line: hairlines between surfaces.
        text, dim: main text, and secondary text.
        accent: links, buttons and other controls; ``accent_text`` is readable on it.
        selection: background of selected rows.
        good, bad, warning: states.
        received, sent: directions.
        hover, pressed: background of a control under the pointer.
        thumb: handle of a scroll bar.
        faint: disabled controls.
    """

    name: Literal["dark", "light"]
    window: str
    panel: str
    raised: str
    line: str
    text: str
    dim: str
    accent: str
    selection: str
    good: str
    bad: str
    warning: str
    received: str
    sent: str
    accent_text: str
    accent_hover: str
    selected_text: str
    selected_dim: str
    hover: str
    pressed: str
    thumb: str
    faint: str


DARK = Theme(
    name="dark",
    window="#14171c", panel="#1a1e25", raised="#222833", line="#2b323e",
    text="#d7dde6", dim="#8792a3", accent="#4aa8ff", selection="#24405c",
    good="#3fcf8e", bad="#ff6b6b", warning="#ffb454", received="#6cc7ff", sent="#b39dff",
    accent_text="#0b1420", accent_hover="#74bcff", selected_text="#f2f6fb", selected_dim="#aab6c6",
    hover="#2a3140", pressed="#323b4c", thumb="#3f4959", faint="#566072",
)  # fmt: skip

LIGHT = Theme(
    name="light",
    window="#f5f6f8", panel="#ffffff", raised="#eef0f4", line="#d9dde4",
    text="#1d2430", dim="#5d6878", accent="#0b6bcb", selection="#d6e8fb",
    # The design's good, #0f8a55, reaches only 3.85 to 1 on raised: the same hue, a little darker.
    good="#0c7a4b", bad="#c92a2a", warning="#9a5b00", received="#0b6bcb", sent="#6741d9",
    accent_text="#ffffff", accent_hover="#095aab", selected_text="#101722", selected_dim="#4d5868",
    hover="#e4e7ed", pressed="#d8dce4", thumb="#b6bdc9", faint="#a0a8b5",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fonts:
    """The fonts that the user chose.

    Attributes:
        size: size of text, in points.
        mono: family of the monospaced font for data; empty: the first of ``MONO_FAMILIES`` that is installed.
        mono_size: size of data, in points.
    """

    size: int = POINTS
    mono: str = ""
    mono_size: int = POINTS


class Notifier(QObject):
    """Holds the theme and the fonts, and emits signals when they change.

    Signals:
        fonts_changed(): the fonts have changed, so sizes must be measured again; ``changed`` follows.
        changed(Theme): the application has got another theme or other fonts.
    """

    fonts_changed = pyqtSignal()
    changed = pyqtSignal(Theme)

    def __init__(self) -> None:
        super().__init__()
        self.theme = DARK
        self.fonts = Fonts()
        self.platform: Theme | None = None


notifier = Notifier()


def current() -> Theme:
    """The application's theme; ``DARK`` until ``apply`` was called."""
    return notifier.theme


def system_theme() -> Theme:
    """The theme that matches the platform's palette: dark if its windows are dark."""
    if notifier.platform is None:
        window = QGuiApplication.palette().color(QPalette.Window)
        notifier.platform = DARK if window.lightness() < 128 else LIGHT
    return notifier.platform


def apply(app: QApplication, theme: Theme, fonts: Fonts | None = None) -> None:
    """Set the theme and fonts of the application, and emit the notifier's signals if they changed.

    Without ``fonts``, the fonts stay the same.
    """
    system_theme()  # read it now, before our palette replaces the platform's
    fonts = fonts or notifier.fonts
    new_theme, new_fonts = theme is not notifier.theme, fonts != notifier.fonts
    notifier.theme, notifier.fonts = theme, fonts
    # Only once, because a new style object makes every widget polish itself again.
    if app.property("themed") is None:
        app.setProperty("themed", True)
        app.setStyle(QStyleFactory.create("Fusion"))
    app.setFont(ui_font())
    app.setPalette(_palette(theme))
    # Every widget polishes itself again for a stylesheet, be it the same.
    if app.styleSheet() != (sheet := stylesheet(theme)):
        app.setStyleSheet(sheet)
    if new_fonts:
        notifier.fonts_changed.emit()
    if new_theme or new_fonts:
        notifier.changed.emit(theme)


def scaled(pixels: int) -> int:
    """The size of an icon, or the room for one, beside letters of the size that the user chose: an even number."""
    return 2 * round(pixels * notifier.fonts.size / POINTS / 2)


def ui_font() -> QFont:
    """The font of the user interface, that is of all text except data."""
    return QFont(_installed(UI_FAMILIES, QFontDatabase.GeneralFont), notifier.fonts.size)


def mono_font(size: int = 0) -> QFont:
    """The font of data: logs, bytes, addresses. ``size`` in points; 0: the size that the user chose.

    Set it before a widget is added to a tab: with a stylesheet, Qt 5 loses a font that is set on a
    page of a ``QTabWidget`` later. ``role="mono"`` works at any time.
    """
    families = (notifier.fonts.mono, *MONO_FAMILIES) if notifier.fonts.mono else MONO_FAMILIES
    font = QFont(_installed(families, QFontDatabase.FixedFont), size or notifier.fonts.mono_size)
    font.setStyleHint(QFont.Monospace)
    font.setFixedPitch(True)
    return font


@cache
def _installed(families: tuple[str, ...], otherwise: QFontDatabase.SystemFont) -> str:
    """The first family that is installed; if none is, the system font ``otherwise``.

    ``QFont.setFamilies`` would not do: Qt 5's item views lose the list when they merge fonts.
    """
    present = set(QFontDatabase().families())
    return next(filter(present.__contains__, families), QFontDatabase.systemFont(otherwise).family())


def contrast(a: str, b: str) -> float:
    """The contrast ratio of two colours (WCAG 2.1): from 1 (equal) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(QColor(a)), _luminance(QColor(b))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def resource(path: str) -> str:
    """The content of a text file in ``resources``, for example ``icons/play.svg``."""
    return files("resources").joinpath(path).read_text("utf-8")


def stylesheet(theme: Theme) -> str:
    """The application's stylesheet in the colours of a theme."""
    return Template(resource("themes/app.qss")).substitute(
        asdict(theme),
        **_marks(theme),
        mono=mono_font().family(),
        mono_size=notifier.fonts.mono_size,
        small=notifier.fonts.size - 1,
        large=notifier.fonts.size + 4,
        field=_line_height(),
    )


def _line_height() -> int:
    """The pixels of a line in a field, whichever of both letters it is in.

    A layout takes the stylesheet's ``min-height`` for all that a field needs, and a row is no taller than the
    shortest in it: a field whose letters are taller than the others' would be cut, as in Noto Sans Mono beside
    DejaVu Sans.
    """
    around = 2  # QLineEdit leaves a pixel free above the letters, and one below
    return max(MIN_LINE, *(QFontMetrics(font).height() + around for font in (ui_font(), mono_font())))


@cache
def _marks(theme: Theme) -> dict[str, str]:
    """The paths of the icons in the colours of a theme, by their names in the stylesheet, which can only name files."""
    wanted = {
        "check": ("check", theme.accent_text),
        "check_faint": ("check", theme.faint),
        "dot": ("dot", theme.accent_text),
        "dot_faint": ("dot", theme.faint),
        "dash": ("dash", theme.accent_text),
        "down": ("chevron-down", theme.dim),
        "up": ("chevron-up", theme.dim),
        "left": ("chevron-left", theme.dim),
        "right": ("chevron-right", theme.dim),
        "left_faint": ("chevron-left", theme.faint),
        "right_faint": ("chevron-right", theme.faint),
        "down_faint": ("chevron-down", theme.faint),
        "up_faint": ("chevron-up", theme.faint),
        "down_on_accent": ("chevron-down", theme.accent_text),
        "close": ("close", theme.dim),
    }
    drawings = {
        f"{mark}.svg": resource(f"icons/{icon}.svg").replace("currentColor", color).encode()
        for mark, (icon, color) in wanted.items()
    }
    # Qt keeps a picture by its path: other colours need another one.
    digest = sha256(b"".join(drawings.values())).hexdigest()[:16]
    folder = in_memory.folder(f"marks-{digest}", drawings)
    return {mark: f"{folder}/{mark}.svg" for mark in wanted}


def _luminance(color: QColor) -> float:
    channels = (color.redF(), color.greenF(), color.blueF())
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    for role, color in (
        (QPalette.Window, theme.window), (QPalette.WindowText, theme.text),
        (QPalette.Base, theme.panel), (QPalette.AlternateBase, theme.raised), (QPalette.Text, theme.text),
        (QPalette.Button, theme.raised), (QPalette.ButtonText, theme.text),
        (QPalette.ToolTipBase, theme.raised), (QPalette.ToolTipText, theme.text),
        (QPalette.PlaceholderText, theme.dim), (QPalette.BrightText, theme.bad),
        (QPalette.Highlight, theme.selection), (QPalette.HighlightedText, theme.selected_text),
        (QPalette.Link, theme.accent), (QPalette.LinkVisited, theme.sent),
        (QPalette.Light, theme.raised), (QPalette.Midlight, theme.raised), (QPalette.Mid, theme.line),
        (QPalette.Dark, theme.line), (QPalette.Shadow, theme.window),
    ):  # fmt: skip
        palette.setColor(role, QColor(color))
    for role in (QPalette.WindowText, QPalette.Text, QPalette.ButtonText, QPalette.HighlightedText):
        palette.setColor(QPalette.Disabled, role, QColor(theme.faint))
    palette.setColor(QPalette.Disabled, QPalette.Highlight, QColor(theme.raised))
    return palette
