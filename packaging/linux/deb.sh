#!/bin/sh
# Makes a Debian package of the frozen program; needs dpkg-dev, and no root.
#
#   packaging/linux/deb.sh [FOLDER]      the program's folder, dist/listening-post if left out; prints the package's path
#
# The program's libraries are newer than Debian's, so they come along in /usr/lib/listening-post,
# as PyInstaller has gathered them. What it takes from the host, dpkg-shlibdeps finds.
set -eu

program=${1:-dist/listening-post}
if ! [ -x "$program/listening-post" ]; then
    echo "There is no frozen program in $program. Make it: make package" >&2
    exit 1
fi

version=$(.venv/bin/python -c 'import app; print(app.__version__)')
maintainer="The Listening Post developers <listening-post@example.org>"
arch=$(dpkg --print-architecture)
work=build/deb
tree=$work/listening-post
doc=$tree/usr/share/doc/listening-post
package=dist/listening-post_${version}_$arch.deb
umask 022
rm -rf "$work"
mkdir -p "$tree/DEBIAN" "$tree/usr/bin" "$tree/usr/lib" "$doc" dist

cp -r "$program" "$tree/usr/lib/listening-post"
ln -s ../lib/listening-post/listening-post "$tree/usr/bin/listening-post"
.venv/bin/python packaging/linux/desktop.py "$tree/usr"
cp packaging/linux/copyright "$doc/copyright"
gzip -9n < CHANGELOG.md > "$doc/CHANGELOG.md.gz"
printf 'listening-post (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- %s  %s\n' \
    "$version" "$maintainer" "$(date -R -r CHANGELOG.md)" | gzip -9n > "$doc/changelog.gz"
find "$tree" -type f -exec chmod 644 {} +
chmod 755 "$tree/usr/lib/listening-post/listening-post"

mkdir "$work/debian"
printf 'Source: listening-post\n\nPackage: listening-post\nArchitecture: any\n' > "$work/debian/control"
# As paths of the installed package; below the tree they are found before the host's.
find "$tree" -name '*.so*' -printf '-l/%P\n' | sed 's|/[^/]*$||' | sort -u > "$work/private"
find "$tree/usr/lib" -type f \( -name '*.so*' -o -name listening-post \) -printf "-elistening-post/usr/lib/%P\n" > "$work/elf"
# It warns of what it finds only there.
depends=$(cd "$work" && dpkg-shlibdeps -O --ignore-missing-info $(cat private) $(cat elf) 2>warnings |
    sed -n 's/^shlibs:Depends=//p')
if [ -z "$depends" ]; then
    cat "$work/warnings" >&2
    exit 1
fi
# Debian's own file about it asks for the version of the machine that builds; its two functions are from 2006.
depends=$(echo "$depends" | sed 's/libx11-xcb1 ([^)]*)/libx11-xcb1/')

cat > "$tree/DEBIAN/control" <<CONTROL
Package: listening-post
Version: $version
Architecture: $arch
Maintainer: $maintainer
Installed-Size: $(du -k -s --apparent-size "$tree/usr" | cut -f1)
Depends: $depends
Recommends: fonts-dejavu-core, hicolor-icon-theme, shared-mime-info
Section: net
Priority: optional
Description: TCP, UDP, HTTP and WebSocket servers in one window
 Servers start with a click, show everything that reaches them as it arrives,
 answer the way you choose, and keep all of it in a capture file. For firmware
 and backend developers, testers, and whoever writes protocols with Twisted.
CONTROL
(cd "$tree" && find usr -type f -print0 | sort -z | xargs -0 md5sum > DEBIAN/md5sums)
dpkg-deb --root-owner-group --build "$tree" "$package" >/dev/null
echo "$package"
