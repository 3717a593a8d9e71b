#!/bin/sh
# Makes .venv and installs the program into it, editable.
#
#   packaging/setup.sh          what the program needs
#   packaging/setup.sh test     and what the tests need
#
# PYTHON names another interpreter than python3.
set -eu

python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Listening Post needs Python 3.11 or newer. Name one: make setup PYTHON=/path/to/python3" >&2
    exit 1
fi

echo "Setting up .venv${1:+ for the ${1}s}"
if ! [ -x .venv/bin/pip ]; then
    # Debian keeps ensurepip in a package of its own.
    "$python" -c 'import ensurepip' 2>/dev/null || packaging/system-packages.sh venv
    "$python" -m venv .venv
fi
.venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check --editable ".${1:+[$1]}"
