"""The manual as web pages: `make manual`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from app import __version__  # noqa: E402

project = "Listening Post"
author = "The Listening Post developers"
copyright = "2026, the Listening Post developers"
release = version = __version__

extensions = ["myst_parser"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"Listening Post {version}"
html_logo = html_favicon = str(ROOT / "resources" / "icons" / "listening-post.svg")
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b6bcb", "color-brand-content": "#0b6bcb"},
    "dark_css_variables": {"color-brand-primary": "#4aa8ff", "color-brand-content": "#4aa8ff"},
}
# Nothing that a reader's browser would fetch from elsewhere.
html_use_opensearch = ""
smartquotes = False
