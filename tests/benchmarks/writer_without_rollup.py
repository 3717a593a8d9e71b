"""The capture's writer, which adds nothing to the rollup: what the benchmark of charts compares with."""

from __future__ import annotations

import sys

from app.capture.writing import writer
from app.capture.writing.rolling import Rolling

if __name__ == "__main__":
    Rolling.add = lambda *_: None  # type: ignore[method-assign]
    sys.exit(writer.main(sys.argv[1:]))
