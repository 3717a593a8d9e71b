"""The settings that the window keeps between two runs, in an INI file in the platform's settings folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from platformdirs import user_config_path
from PyQt5.QtCore import QByteArray, QSettings
from PyQt5.QtWidgets import QApplication

from app.capture.link import DEFAULT_LIMIT
from app.files.folders import APP_NAME
from app.metrics.serving import DEFAULT as METRICS
from ui.looks import theme, times
from ui.looks.theme import POINTS, Fonts
from ui.looks.times import DIGITS, TimeFormat

MAX_RECENT = 8
MAX_USED = 12

SMALLEST, LARGEST = 7, 28
"""Font sizes, in points."""

LOOPBACK = "127.0.0.1"


class Settings:
    """Typed access to the settings file. A missing or unreadable value reads as its default."""

    def __init__(self, path: Path | None = None) -> None:
        file = path or user_config_path(APP_NAME, appauthor=False) / "window.ini"
        self._store = QSettings(str(file), QSettings.IniFormat)

    @property
    def theme(self) -> str:
        """``"dark"``, ``"light"`` or ``"system"``."""
        name = str(self._store.value("theme", "system"))
        return name if name in ("dark", "light") else "system"

    @theme.setter
    def theme(self, name: str) -> None:
        self._store.setValue("theme", name)

    @property
    def fonts(self) -> Fonts:
        size = min(self._number("font_size", POINTS, SMALLEST), LARGEST)
        mono_size = min(self._number("mono_size", POINTS, SMALLEST), LARGEST)
        mono = self._store.value("mono", "")
        return Fonts(size, mono if isinstance(mono, str) else "", mono_size)

    @fonts.setter
    def fonts(self, fonts: Fonts) -> None:
        self._store.setValue("font_size", fonts.size)
        self._store.setValue("mono", fonts.mono)
        self._store.setValue("mono_size", fonts.mono_size)

    @property
    def times(self) -> TimeFormat:
        digits = self._number("time_digits", 6, 3)
        return TimeFormat(self._store.value("time_zone", "") == "UTC", digits if digits in DIGITS else 6)

    @times.setter
    def times(self, chosen: TimeFormat) -> None:
        self._store.setValue("time_zone", "UTC" if chosen.utc else "local")
        self._store.setValue("time_digits", chosen.digits)

    @property
    def host(self) -> str:
        """The address on which new services listen."""
        host = self._store.value("host", LOOPBACK)
        return host if isinstance(host, str) and host else LOOPBACK

    @host.setter
    def host(self, host: str) -> None:
        self._store.setValue("host", host)

    @property
    def captures(self) -> Path | None:
        """The folder for new captures; None means the default, in the data folder."""
        folder = self._store.value("captures", "")
        usable = isinstance(folder, str) and folder and "\0" not in folder and Path(folder).is_absolute()
        return Path(folder) if usable else None

    @captures.setter
    def captures(self, folder: Path | None) -> None:
        self._store.setValue("captures", str(folder or ""))

    @property
    def program(self) -> dict[str, Any]:
        """What the dialog for programs had last; nothing at first."""
        try:
            found = json.loads(str(self._store.value("program", "")))
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @program.setter
    def program(self, fields: Mapping[str, Any]) -> None:
        self._store.setValue("program", json.dumps(dict(fields)))

    @property
    def metrics(self) -> str:
        """Where metrics are served; "" means nowhere."""
        return self.metrics_address if self.serves_metrics else ""

    @property
    def serves_metrics(self) -> bool:
        return str(self._store.value("serves_metrics", "false")).lower() == "true"

    @serves_metrics.setter
    def serves_metrics(self, on: bool) -> None:
        self._store.setValue("serves_metrics", on)

    @property
    def metrics_address(self) -> str:
        """Where metrics are served if they are, as ``127.0.0.1:9464``."""
        where = self._store.value("metrics_address", METRICS)
        return where if isinstance(where, str) and where else METRICS

    @metrics_address.setter
    def metrics_address(self, where: str) -> None:
        self._store.setValue("metrics_address", where)

    @property
    def used(self) -> list[str]:
        """Keys of the entries chosen in the palette, the latest first."""
        return self._texts("used")[:MAX_USED]

    def add_used(self, key: str) -> None:
        """Put a key first in ``used``."""
        self._store.setValue("used", [key, *(other for other in self.used if other != key)][:MAX_USED])

    @property
    def first_start(self) -> bool:
        """Whether the window was never closed before: closing it saves its geometry."""
        return self.state("geometry") is None

    @property
    def recent(self) -> list[Path]:
        """The workspaces opened or saved last, the latest first."""
        return [Path(name) for name in self._texts("recent") if "\0" not in name][:MAX_RECENT]

    def add_recent(self, path: Path) -> None:
        """Put a path first in ``recent``."""
        path = path.absolute()
        rest = [other for other in self.recent if other != path]
        self._store.setValue("recent", [str(p) for p in [path, *rest][:MAX_RECENT]])

    @property
    def filters(self) -> list[str]:
        """The saved filters, in the order in which they were saved."""
        return self._texts("filters")

    @filters.setter
    def filters(self, texts: list[str]) -> None:
        self._store.setValue("filters", list(texts))

    @property
    def used_filters(self) -> list[str]:
        """Filters that were used, the latest first."""
        return self._texts("used_filters")[:MAX_USED]

    @used_filters.setter
    def used_filters(self, texts: list[str]) -> None:
        self._store.setValue("used_filters", list(texts[:MAX_USED]))

    @property
    def chart_series(self) -> list[str]:
        """Series of the user's own in charts, each as one text."""
        return self._texts("chart_series")

    @chart_series.setter
    def chart_series(self, texts: list[str]) -> None:
        self._store.setValue("chart_series", list(texts))

    @property
    def export_format(self) -> str:
        """The name of the exporter that was used last; empty: none yet."""
        name = self._store.value("export_format", "")
        return name if isinstance(name, str) else ""

    @property
    def export_folder(self) -> Path | None:
        """The folder of the file that was exported last; None where it is gone."""
        folder = self._store.value("export_folder", "")
        usable = isinstance(folder, str) and folder and "\0" not in folder and Path(folder).is_dir()
        return Path(folder) if usable else None

    def remember_export(self, format: str, path: Path) -> None:
        """Offer this format and this folder the next time."""
        self._store.setValue("export_format", format)
        self._store.setValue("export_folder", str(path.absolute().parent))

    @property
    def folded(self) -> list[str]:
        """The groups of services that are folded, by their names."""
        return self._texts("folded")

    @folded.setter
    def folded(self, groups: list[str]) -> None:
        self._store.setValue("folded", list(groups))

    @property
    def compact_services(self) -> bool:
        """Whether the list of services has one line for each, and not two."""
        return str(self._store.value("compact_services", "false")).lower() == "true"

    @compact_services.setter
    def compact_services(self, compact: bool) -> None:
        self._store.setValue("compact_services", compact)

    @property
    def sends_again(self) -> bool:
        """Whether the Send dock sends the last message again when a plugin was loaded anew."""
        return str(self._store.value("sends_again", "false")).lower() == "true"

    @sends_again.setter
    def sends_again(self, on: bool) -> None:
        self._store.setValue("sends_again", on)

    @property
    def capture_limit(self) -> int:
        """Bytes of a capture above which its oldest events are deleted."""
        return self._number("capture_limit", DEFAULT_LIMIT, 1_000_000)

    @capture_limit.setter
    def capture_limit(self, size: int) -> None:
        self._store.setValue("capture_limit", size)

    @property
    def keep_days(self) -> int:
        """Days after which captures in the data folder are deleted; 0 means never."""
        return self._number("keep_days", 0, 0)

    @keep_days.setter
    def keep_days(self, days: int) -> None:
        self._store.setValue("keep_days", days)

    @property
    def keep_total(self) -> int:
        """Total bytes of the captures in the data folder above which the oldest are deleted; 0 means no limit."""
        return self._number("keep_total", 0, 0)

    @keep_total.setter
    def keep_total(self, size: int) -> None:
        self._store.setValue("keep_total", size)

    def _texts(self, name: str) -> list[str]:
        found = self._store.value(name, [])
        texts = [found] if isinstance(found, str) else found if isinstance(found, list) else []
        return [text for text in texts if isinstance(text, str) and text]

    def _number(self, name: str, default: int, least: int) -> int:
        try:
            return max(least, int(str(self._store.value(name, default))))
        except ValueError:
            return default

    def apply(self, application: QApplication) -> None:
        """Apply theme, fonts and the format of times to the application."""
        times_changed = self.times != times.current()
        times.use(self.times)
        wanted = {"dark": theme.DARK, "light": theme.LIGHT}.get(self.theme, theme.system_theme())
        before = theme.notifier.theme, theme.notifier.fonts
        theme.apply(application, wanted, self.fonts)
        if times_changed and before == (theme.notifier.theme, theme.notifier.fonts):
            theme.notifier.changed.emit(wanted)  # widgets repaint their times on this signal

    def state(self, name: str) -> QByteArray | None:
        """The saved geometry, or the saved state of a splitter, of that name."""
        value = self._store.value(f"state/{name}")
        return value if isinstance(value, QByteArray) else None

    def save_state(self, name: str, value: QByteArray) -> None:
        """Save what ``state(name)`` returns."""
        self._store.setValue(f"state/{name}", value)
