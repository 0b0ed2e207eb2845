#!/bin/sh
# One hash whatever compiled it: bits.sh COMPILER-OLEVEL, as gcc-O3, builds what a run consists of with that compiler
# at that level and compares kernels, elementary functions, golden runs and a tiny run of every experiment with what
# is locked in the tests. A case of tests/run.sh: exit 0 when all are equal, 77 when there is no such compiler.
set -u
cc=${1%-O*} level=-O${1##*-O} out=build/bits/$1
command -v "$cc" >/dev/null 2>&1 || { echo "$cc is not here"; exit 77; }
mkdir -p "$out"

# The rooms that a training run is made of: those that engine/train may include. Rooms above it, and helpers of other
# tests, compute no bit.
sources() {
  for room in $(awk '$1 == "engine/train"' tests/layers.txt | tr '\t' ' ' | tr ' ' '\n' | grep ^engine/ | sort -u); do
    find "$room" -name "*.c" | sort
  done
  ls kernels/*.c kernels/ref/*.c
}
helpers='tests/kernels/problem.c tests/kernels/problem_image.c tests/unit/golden.c tests/unit/tiny_data.c'
programs='kernels/families_test kernels/exact_math_test golden/tiny_run_test golden/experiments_test'

# The make around this one hands down settings and a job server that are not meant for it.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL
# shellcheck disable=SC2046,SC2086
if ! make --no-print-directory BUILD=release CI= WARN=-w REF_FMA='$(HOST_FMA)' B="$out" CC="$cc" CFLAGS="$level -g0" LIB_C="$(echo $(sources))" \
  TESTLIB_C="$helpers" $(printf "$out/tests/%s " $programs) >"$out/make.log" 2>&1; then
  echo "$cc $level: does not build"
  tail -20 "$out/make.log"
  exit 1
fi

failed=0
check() { # PROGRAM [ARGUMENT...]
  CMOCKA_MESSAGE_OUTPUT=TAP "$out/tests/$@" >"$out/test.log" 2>&1 && return
  failed=1
  echo "$cc $level: $1 fails"
  grep -E '^not ok|^# |ERROR' "$out/test.log" | grep -v '# SKIP' | head -20
}
# No device takes part. The reference's own bits are in the golden sums; that it may be cut into parts, too, is
# shown elsewhere.
export BATCHLAB_CUDA=
# The scalar kernels, which take longest, are compared at the highest level, where a compiler does most to them, and at
# -O1 for gcc. Without AVX2 there are no others: then at every level.
scalar='scalar/*'
case $1 in
  *-O3 | gcc-O1) ;;
  *) ! grep -qw avx2 /proc/cpuinfo 2>/dev/null || scalar= ;;
esac
check kernels/families_test ${scalar:+"$scalar"} 'avx*/*' '*/golden' '*keeps_nan'
for t in kernels/exact_math_test golden/tiny_run_test golden/experiments_test; do check $t; done
exit $failed
