#!/bin/sh
# Opens the window on the demo workspace; where there is no display, serves it without.
set -eu

demo=resources/demo.toml
if [ "$(uname)" = Linux ] && [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    echo "No display here: serving $demo without a window. Ctrl+C stops it."
    exec .venv/bin/listening-post serve "$demo"
fi
packaging/system-packages.sh run
exec .venv/bin/listening-post "$demo"
