"""What the window remembers between two runs, in one INI file of the platform's settings folder."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_config_path
from PyQt5.QtCore import QByteArray, QSettings

from app.post import APP_NAME

MAX_RECENT = 8


class Settings:
    """Typed access to the settings file. A value that is missing or unreadable is its default."""

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
    def recent(self) -> list[Path]:
        """Workspaces opened or saved, the newest first."""
        found = self._store.value("recent", [])
        names = [found] if isinstance(found, str) else found if isinstance(found, list) else []
        return [Path(name) for name in names if isinstance(name, str) and name and "\0" not in name][:MAX_RECENT]

    def add_recent(self, path: Path) -> None:
        path = path.absolute()
        rest = [other for other in self.recent if other != path]
        self._store.setValue("recent", [str(p) for p in [path, *rest][:MAX_RECENT]])

    def state(self, name: str) -> QByteArray | None:
        """The saved geometry or splitter of that name."""
        value = self._store.value(f"state/{name}")
        return value if isinstance(value, QByteArray) else None

    def save_state(self, name: str, value: QByteArray) -> None:
        self._store.setValue(f"state/{name}", value)
