"""Runs first in the frozen program: programs that it starts are not to load the libraries that we brought."""

import os
import sys

if sys.platform == "linux":
    # Ours were looked up when this process began; what was there before stands in the second.
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if before is None:
        os.environ.pop("LD_LIBRARY_PATH", None)
    else:
        os.environ["LD_LIBRARY_PATH"] = before
