#!/bin/sh
# Fails when a file includes a header that its room may not. The rules are tests/layers.txt:
# a folder, a tab, then the folders and headers that its files may include, separated by spaces.
bad=0
tab=$(printf '\t')
while IFS=$tab read -r from allowed; do
  for f in $(find "$from" -name '*.[ch]' -o -name '*.cu'); do
    for inc in $(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$f"); do
      [ "$inc" = bl_build.h ] && continue
      ok=0
      for a in $allowed; do case $inc in "$a" | "$a"/*) ok=1 ;; esac; done
      [ $ok = 1 ] || { echo "layers: $f may not include \"$inc\" (allowed: $allowed)"; bad=1; }
    done
  done
done < tests/layers.txt
# A library's header stays in the one room that owns the library.
while read -r header room; do
  hits=$(grep -rlE "#include <$header" engine kernels | grep -v "^$room/")
  [ -z "$hits" ] || { echo "layers: <$header> belongs to $room, found in: $hits"; bad=1; }
done <<'EOF'
libconfig engine/config
lua engine/lua
nettle engine/base
zlib engine/base
EOF
exit $bad
