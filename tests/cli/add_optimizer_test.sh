#!/bin/sh
# The optimizer of docs/training.md, added by its one file and one row: it builds for the processor and for the device
# (by nvcc, too, where that is), and the configuration takes it.
set -u
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL BUILD
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "$1"; tail -20 "$scratch/out"; exit 1; }
cp -r Makefile kernels engine scripts tests "$scratch/"
cd "$scratch" || exit 74
file=kernels/shared/update_sign.h
awk '/^```c/ { inside = 1; next } /^```/ { inside = 0 } inside' "$OLDPWD/docs/training.md" |
  awk '/sign\(g\)/ { found = 1 } found { print } found && /^#endif/ { exit }' >$file
grep -q 'bl_update_sign(' $file || { cat $file; echo "docs/training.md has no such optimizer"; exit 1; }
row=$(grep -o 'X(sign, "[^"]*")' "$OLDPWD/docs/training.md" | head -1)
sed "s/^    X(sgd, .*/&\n    $row \\\\/" engine/config/choices.h >rows && mv rows engine/config/choices.h
grep -q 'X(sign,' engine/config/choices.h || { echo "there is no row to add it to"; exit 1; }
b=build/release
make CI=1 CUDA_SO= $b/engine/optim/optim_table.o $b/engine/config/schema.o $b/emulated/kernels/cuda/training.cu.o >out 2>&1 || fail "it does not build"
nm $b/engine/optim/optim_table.o | grep -q ' sign_step' || fail "the processor has no loop for it"
nm -C $b/emulated/kernels/cuda/training.cu.o | grep -q 'launch_sign' || fail "the device has no kernel for it"
# Without code for a card: the front end is what is asked.
command -v nvcc >/dev/null 2>&1 || { echo "SKIPPED the device's own compiler: there is no nvcc"; exit 0; }
make CI=1 NVCC_ARCHS= $b/cuda/kernels/cuda/training.cu.o >out 2>&1 || fail "nvcc does not take it"
