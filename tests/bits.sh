#!/bin/sh
# One hash whatever compiled it: the kernels against the reference and the golden runs, with each of
# the given compilers at -O1 and -O3. Every backend of this processor takes part.   bits.sh COMPILER...
pass=0 fail=0 skip=0
mkdir -p build
for cc in "$@"; do
  if ! command -v "$cc" >/dev/null 2>&1; then
    skip=$((skip + 2))
    echo "$cc: skipped, it is not here"
    continue
  fi
  for level in -O1 -O3; do
    out=build/bits/$cc$level
    if ! make --no-print-directory B="$out" CC="$cc" CFLAGS="$level" "$out/libbatchlab_cuda_emulated.so" \
      "$out/tests/golden/tiny_run_test" \
      "$out/tests/kernels/families_test" "$out/tests/kernels/exact_math_test" >build/bits.log 2>&1; then
      fail=$((fail + 1)); echo "$cc $level: does not build"; tail -5 build/bits.log
      continue
    fi
    for t in golden/tiny_run_test kernels/families_test kernels/exact_math_test; do
      if "$out/tests/$t" >build/bits.log 2>&1; then pass=$((pass + 1))
      else fail=$((fail + 1)); echo "$cc $level: $t fails"; grep -E '^\[  FAILED|ERROR' build/bits.log | head -5
      fi
    done
  done
done
echo "$pass passed, $fail failed, $skip skipped"
[ "$fail" -eq 0 ]
