"""The first lines of a hosted program's process, which any Python from 3.11 on runs: ``python -P start.py ARG …``.

They load our package ``app`` from where this file lies, and put nothing into ``sys.path`` or the environment: the
program, and what it starts, import what their own Python has, its Twisted before all.
"""

import importlib.util
import os
import sys


def _load_app() -> None:
    folder = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    spec = importlib.util.spec_from_file_location("app", os.path.join(folder, "__init__.py"))
    assert spec is not None
    assert spec.loader is not None
    sys.modules["app"] = package = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)


if __name__ == "__main__":
    _load_app()
    from app.programs.inside.host import main

    sys.exit(main(sys.argv[1:]))
