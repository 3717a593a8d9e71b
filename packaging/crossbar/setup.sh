#!/usr/bin/env bash
# Makes .venv-router, or the folder that is named: Crossbar, in an environment of its own, since it holds back h2 and
# idna.
set -euo pipefail
cd "$(dirname "$0")"
venv="${1:-../../.venv-router}"
[ -x "$venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.txt
