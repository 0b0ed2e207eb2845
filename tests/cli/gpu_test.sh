#!/bin/sh
# Every kernel case, whole runs and gradients on a real GPU, where there is one; else skipped, and under BL_REQUIRE_CUDA=1 failed.
# tests/gpu/run shows more, on machines without a compiler, too.
set -u
case $BATCHLAB in */asan/*) echo "a driver and the address sanitizer do not share a process"; exit 77 ;; esac
built=${BATCHLAB%/*}
export BATCHLAB_CUDA="$built/libbatchlab_cuda.so"
words=$("$BATCHLAB" doctor 2>&1 | sed -n 's/^cuda *//p')
case $words in
  *multiprocessors*) ;;
  *)
    echo "$words"
    [ "${BL_REQUIRE_CUDA:-0}" = 1 ] && exit 1
    exit 77 ;;
esac
"$built/tests/kernels/families_test" 'cuda*' || exit 1
for name in device_test device_steps_test device_gradient_test device_products_test; do "$built/tests/unit/$name" || exit 1; done
