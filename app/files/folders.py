"""The folder for the program's own files."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path

APP_NAME = "listening-post"

ELSEWHERE = "LISTENING_POST_DATA"
"""The environment variable that sets another data folder."""


def data_folder() -> Path:
    """The program's data folder: the platform's per-user data folder, or the one in ``ELSEWHERE``."""
    elsewhere = os.environ.get(ELSEWHERE)
    return Path(elsewhere).absolute() if elsewhere else user_data_path(APP_NAME, appauthor=False)
