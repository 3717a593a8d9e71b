"""The one package that an installation adds: what plugins import, as ``from listening_post import responder``.

The program's own packages, ``app``, ``ui`` and ``resources``, lie in this folder once it is installed, and
beside it in a checkout. They import each other by these names, so ``add_to_path`` puts the folder that
holds them on the path: in the program's process and in a plugin's tests, and in no other process.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.plugin import (
        Connection,
        Context,
        Hit,
        IResponder,
        Mistake,
        Option,
        Options,
        Request,
        Responder,
        fault,
        responder,
    )  # fmt: skip

__all__ = [
    "Connection", "Context", "Hit", "IResponder", "Mistake", "Option", "Options", "Request", "Responder",
    "fault", "responder",
]  # fmt: skip


def add_to_path() -> None:
    """Make ``app``, ``ui`` and ``resources`` importable, before any others of these names.

    Raises ImportError where another package ``app`` was imported already.
    """
    if getattr(sys, "frozen", False):
        return  # PyInstaller's importer has them
    here = Path(__file__).resolve().parent
    folder = here if (here / "app").is_dir() else here.parent
    app = sys.modules.get("app")
    if app is None:
        sys.path.insert(0, str(folder))
        return
    place = Path(getattr(app, "__file__", None) or ".").resolve()
    if place.parent.parent != folder:
        raise ImportError(
            f"Listening Post has a package app of its own, and {place} was imported before under that name. "
            "Both cannot be used in one process."
        )


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    add_to_path()
    from app import plugin

    return getattr(plugin, name)
