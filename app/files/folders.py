"""Where the program keeps its files."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path

APP_NAME = "listening-post"

ELSEWHERE = "LISTENING_POST_DATA"
"""The environment variable that names another data folder."""


def data_folder() -> Path:
    """The platform's folder for what the program keeps for its user, or the one that the environment names."""
    elsewhere = os.environ.get(ELSEWHERE)
    return Path(elsewhere).absolute() if elsewhere else user_data_path(APP_NAME, appauthor=False)
