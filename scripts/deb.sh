#!/bin/sh
# deb.sh BUILD FOLDER [PLUGIN.so]: FOLDER/batchlab_VERSION_ARCHITECTURE.deb. Its dependencies are the packages whose libraries
# the program was linked with here.
set -eu
command -v dpkg-deb >/dev/null || { echo "make deb needs dpkg-deb (on Debian: apt-get install dpkg)" >&2; exit 69; }
build=$1 folder=$2
shift 2
root=$folder/deb
version=$("$build/batchlab" --version | cut -d' ' -f2)
architecture=$(dpkg --print-architecture)
rm -rf "$root"
sh scripts/install.sh install "$root" /usr "$build" "$@"
${STRIP:-strip} --strip-unneeded "$root/usr/bin/batchlab"
find "$root/usr/share/man" -name '*.1' -exec gzip -9n {} +
libraries=$(ldd "$build/batchlab" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }')
# Files of a merged /usr are known to dpkg by either path.
depends=$(for file in $libraries; do
  { dpkg -S "$(readlink -f "$file")" || dpkg -S "$file" || dpkg -S "/usr$file"; } 2>/dev/null | head -1 | cut -d: -f1
done | sort -u | paste -sd, - | sed 's/,/, /g')
mkdir -p "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<END
Package: batchlab
Version: $version
Architecture: $architecture
Maintainer: batchlab
Section: science
Priority: optional
Installed-Size: $(du -sk "$root/usr" | cut -f1)
Depends: $depends
Recommends: gnuplot-nox
Description: which batch size, at which learning rate, and at what cost
 batchlab trains a model at many batch sizes, tunes the learning rate at each,
 and says which batch size needs the fewest steps, the least time and the least
 cost.
END
package=$folder/batchlab_${version}_$architecture.deb
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0} dpkg-deb --root-owner-group --build "$root" "$package" >/dev/null
rm -rf "$root"
echo "$package"
