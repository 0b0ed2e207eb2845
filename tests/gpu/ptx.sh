#!/bin/sh
# What nvcc makes of the kernels' arithmetic, without a GPU: ptx.sh NVCC FLAG... compiles every kernels/cuda/*.cu to
# PTX and fails unless
#   every fma.rn is one that the source asks for (tests/gpu/marked_fma.h marks those),
#   every other addition, product, quotient and root rounds to nearest (.rn), and none is approximate or flushes
#   subnormal numbers.
# `make test-ptx` calls it with the flags of the plug-in. FILES names other sources. The last line is a total of one.
set -u
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for f in ${FILES:-kernels/cuda/*.cu}; do echo "$f"; done |
  xargs -P "$(nproc)" -I{} sh -c 'f=$1 out=$2/$(basename "$1").ptx; shift 2
    "$@" -include tests/gpu/marked_fma.h -arch=compute_90 -ptx "$f" -o "$out" 2>"$out.err" || { echo "ptx: $f does not compile"; cat "$out.err"; }' \
    one {} "$scratch" "$@" >"$scratch/failed"
cat "$scratch/failed"
bad=0 all=0
[ -s "$scratch/failed" ] && bad=1
for ptx in "$scratch"/*.ptx; do
  name=$(basename "$ptx" .ptx)
  count=$(grep -cE '^\s*fma\.' "$ptx")
  source=$(grep -cE '^\s*fma\..*// source' "$ptx")
  all=$((all + count))
  [ "$count" = "$source" ] || { echo "ptx: $name has $count fused multiply-adds, $source of them the source's"; bad=1; }
  loose=$(grep -E '^\s*(add|sub|mul|div|rcp|sqrt|rsqrt|mad|fma|sin|cos|ex2|lg2|tanh)\.[a-z0-9.]*f(32|64)' "$ptx" | grep -vE '^\s*[a-z0-9]+\.rn\.f(32|64)' | head -3)
  [ -z "$loose" ] || { echo "ptx: $name rounds otherwise: $loose"; bad=1; }
done
[ "$all" -gt 0 ] || { echo "ptx: there is no multiply-add at all"; bad=1; }
[ $bad = 0 ] && echo "ptx: $all fused multiply-adds, each the source's"
echo "$((1 - bad)) passed, $bad failed, 0 skipped"
exit $bad
