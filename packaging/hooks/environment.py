"""A runtime hook of the frozen program: other programs that it starts must not load the bundle's libraries."""

import os
import sys

if sys.platform == "linux":
    # This process has found its libraries already. LD_LIBRARY_PATH_ORIG has the user's own value.
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if before is None:
        os.environ.pop("LD_LIBRARY_PATH", None)
    else:
        os.environ["LD_LIBRARY_PATH"] = before
