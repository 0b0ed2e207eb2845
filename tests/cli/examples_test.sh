#!/bin/sh
# examples/: what stands in docs/external.md as the difference between a plain script and its adapted form is the
# difference, and it touches at most six lines.
set -u
. tests/cli/lib.sh
for example in numpy_rossmann pytorch_mnist; do
  diff -U1 "examples/$example/plain.py" "examples/$example/train.py" | tail -n +3 >"$scratch/is"
  awk -v head="<!-- $example -->" '$0 == head { found = 1; next } found && /^```$/ { exit } found && /^```/ { next } found' \
    docs/external.md >"$scratch/shown"
  diff "$scratch/shown" "$scratch/is" >"$scratch/out" || fail "docs/external.md shows another difference for $example"
  [ -s "$scratch/is" ] || fail "$example: there is no difference"
  [ "$(grep -c '^+' "$scratch/is")" -le 6 ] || fail "$example: more than six lines are touched"
done
exit $failed
