#!/bin/sh
# Installs the system packages that are missing for one purpose; says nothing when none is.
#
#   packaging/system-packages.sh venv|run|screenshots|bench|package|deb|test
#
# Debian's package names. Root installs them by apt; anyone else is told the line to run.
# Elsewhere it names what is needed and leaves the rest to you.
set -eu

qt="libglib2.0-0 libgl1 libegl1 libdbus-1-3 libfontconfig1 libgssapi-krb5-2 libxkbcommon-x11-0 libxcb-icccm4
    libxcb-image0 libxcb-keysyms1 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 fonts-dejavu-core"
screen="$qt xvfb xdotool imagemagick"

case ${1:-} in
    venv) wanted="python3-venv" ;;
    run) wanted=$qt ;;
    screenshots) wanted=$screen ;;
    package)
        wanted="$screen binutils curl socat netcat-openbsd openssl openssh-client"
        # Debian's own Python leaves out the library of itself, which goes into the binary.
        library=$(.venv/bin/python -c 'import sys; v = sys.version_info
print(f"libpython{v[0]}.{v[1]}" if sys.base_prefix == "/usr" else "")' 2>/dev/null || true)
        wanted="$wanted $library" ;;
    deb) wanted="$screen curl dpkg-dev binutils libwayland-cursor0 libwayland-egl1 libxcomposite1" ;;
    bench) wanted="$screen wrk socat tshark" ;;
    test) wanted="$screen openbox x11-utils wrk curl socat netcat-openbsd openssl openssh-client openssh-server tshark jq chromium
        nginx mosquitto mosquitto-clients nghttp2-client prometheus iproute2 dbus-daemon dbus-session-bus-common
        desktop-file-utils appstream shared-mime-info" ;;
    *) echo "usage: $0 venv|run|screenshots|bench|package|deb|test" >&2; exit 2 ;;
esac

if [ "$(uname)" != Linux ]; then
    exit 0
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "Not a Debian system; if something is missing, look for these:" $wanted
    exit 0
fi

missing=
for package in $wanted; do
    # Since Debian 13 some libraries carry a t64 at the end; apt finds them by the old name.
    dpkg-query --show --showformat '${db:Status-Abbrev}\n' "$package" "${package}t64" 2>/dev/null |
        grep -q '^.i' || missing="$missing $package"
done
if [ -z "$missing" ]; then
    exit 0
fi

if [ "$(id -u)" -ne 0 ]; then
    echo "System packages are missing. Install them, then try again:" >&2
    echo "  sudo apt-get update && sudo apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
echo "Installing system packages:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq --no-install-recommends $missing >/dev/null
