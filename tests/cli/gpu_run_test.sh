#!/bin/sh
# What tests/gpu/run is made of, without a GPU: its refusal, the benchmark's nets on an emulated device, and the floors.
set -u
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
case $BATCHLAB in */asan/*) echo "the emulated device is too slow under the address sanitizer"; exit 77 ;; esac
case $BATCHLAB in /*) ;; *) BATCHLAB=$PWD/$BATCHLAB ;; esac
built=${BATCHLAB%/*} here=$PWD
fail() { echo "$1"; cat "$scratch/out"; exit 1; }

# Where there is no GPU it says so, with a count.
mkdir -p "$scratch/dist/tests/gpu"
cp "$BATCHLAB" "$scratch/dist/"
cp tests/gpu/run "$scratch/dist/tests/gpu/"
for required in 0 1; do
  BL_REQUIRE_CUDA=$required BATCHLAB_CUDA=/nowhere sh "$scratch/dist/tests/gpu/run" >"$scratch/out" 2>&1
  rc=$?
  [ $rc = $((required ? 1 : 77)) ] || fail "BL_REQUIRE_CUDA=$required: exit $rc without a GPU"
  grep -q "^0 passed, $required failed, 1 skipped$" "$scratch/out" || fail "BL_REQUIRE_CUDA=$required: no count"
  grep -q '^skipped  device .*there is no CUDA backend here' "$scratch/out" || fail "it does not say why"
done

# Every net of the benchmark fits a device of 1 GiB, at both levels.
so=$built/libbatchlab_cuda_emulated.so
for level in "" --device; do
  # shellcheck disable=SC2086
  BATCHLAB_CUDA=$so BATCHLAB_CUBLASLT=$so BATCHLAB_CUDNN=$so "$built/tests/gpu/gpu_bench" --smoke $level >"$scratch/out" 2>&1 ||
    fail "gpu_bench --smoke $level"
  [ "$(grep -c '^simplenn,64,[12],' "$scratch/out")" = 2 ] || fail "gpu_bench --smoke $level has not two rows"
done

# One run is 5 and 4.9 times as fast as PyTorch, as fast as its graph and not; 32 runs 50 and 49 times.
cat >"$scratch/bench" <<'CSV'
# a card
net,batch,runs,step_us,steps_per_second,examples_per_second
a,64,1,100.00,10000,640000
a,64,32,3200.00,100000,6400000
b,128,1,100.00,10000,1280000
b,128,32,3200.00,98000,6272000
a,8192,1,1000.00,1000,8192000
b,4096,1,1001.00,999,4091904
CSV
cat >"$scratch/peer" <<'CSV'
# PyTorch
a,64,eager,500.00
a,64,graph,1.00
b,128,eager,490.00
b,128,graph,1.00
a,8192,eager,1.00
a,8192,graph,1000.00
b,4096,graph,1000.00
CSV
awk -f "$here/tests/gpu/floors.awk" "$scratch/bench" "$scratch/peer" | awk '{ print $1, $2, $5, $(NF > 0 ? 7 : 0) }' >"$scratch/out"
cat >"$scratch/wanted" <<'ROWS'
met 5.00 5 run
met 50.00 50 runs
missed 4.90 5 run
missed 48.02 50 runs
met 1.00 1 run
missed 1.00 1 run
ROWS
cmp -s "$scratch/out" "$scratch/wanted" || fail "the floors are not as made"
