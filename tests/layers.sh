#!/bin/sh
# The order of the house: which room includes which, no circles, private headers, prefixes, file names, guards.
# tests/layers.awk has the rules and their reasons. Also: a library's header stays in the one room that owns it, and
# tables in comments stand where clang-format leaves them alone (tests/comments.awk).
bad=0
files=$(find engine kernels tests -name '*.[ch]' -o -name '*.cu' -o -name '*.cc' | LC_ALL=C sort)
known=tests/layers_known.txt
[ -e $known ] || known=
# shellcheck disable=SC2086
awk -f tests/layers.awk tests/layers.txt tests/prefixes.txt $known $files || bad=1
# shellcheck disable=SC2086
awk -f tests/comments.awk $files || bad=1
while read -r header room; do
  hits=$(grep -rlE "#include <$header" engine kernels | grep -v "^$room/")
  [ -z "$hits" ] || { echo "layers: <$header> belongs to $room, found in: $hits"; bad=1; }
done <<'END'
libconfig engine/config
lua engine/lua
nettle engine/base
png engine/data
jpeg engine/data
zlib engine/base
END
# JSON is written by engine/base/json_writer.c alone: no keys and braces escaped by hand.
hits=$(grep -rnE '\\":|[{,]\\"' engine --include='*.[ch]' | grep -v '^engine/base/json')
[ -z "$hits" ] || { echo "layers: JSON escaped by hand (use engine/base/json_writer.h):"; echo "$hits"; bad=1; }
exit $bad
