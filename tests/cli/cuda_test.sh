#!/bin/sh
# Sweeps on an emulated device: the processor's logs, memory as planned, and level `device` with an emulated cuBLASLt: ids of their own, refused where there is no GPU.
set -u
. tests/cli/lib.sh
# Under the address sanitizer an emulated device takes minutes. device_test runs there.
case $BATCHLAB in */asan/*) echo "the emulated device is too slow under the address sanitizer"; exit 77 ;; esac
built=${BATCHLAB%/*}
export BATCHLAB_CUDA="$built/libbatchlab_cuda_emulated.so" BATCHLAB_NVML="$built/fake_nvml.so" BATCHLAB_DATA=/nowhere
export BATCHLAB_CUBLASLT="$BATCHLAB_CUDA" BATCHLAB_CUDNN="$BATCHLAB_CUDA"
export BATCHLAB_CACHE="${BATCHLAB_CACHE:-$PWD/datasets/cache}"
unset BL_EMULATED_MEMORY
fail() { echo "$1"; cat "$scratch/out"; exit 1; }
# run WANTED STORE options...: two short runs, of batches of 64 and of 512.
run() {
  want=$1 store=$2
  shift 2
  BATCHLAB_RUNS="$scratch/$store" BATCHLAB_REPORTS="$scratch/$store.reports" "$BATCHLAB" run rossmann_one_cycle \
    --preset tiny --synthetic --progress none --set data.rows=600 --set data.eval_rows=64 --set schedule.horizon_epochs=1 \
    --set sweep.max_epochs=1 --set sweep.targets=[10] --set timing.repeats=1 --set timing.seconds=0.001 "$@" >"$scratch/out" 2>&1
  got=$?
  [ $got = "$want" ] || fail "run $store $*: exit $got, wanted $want"
}

run 0 cpu
run 0 cuda --device cuda
sh tests/same_outputs.sh "$scratch/cpu" "$scratch/cuda" || exit 1
# Planned memory is what the device counted, a queue of 64 MiB aside.
awk '
  { while (match($0, /"memory_bytes":[0-9]+,"device_bytes":[0-9]+,"joules_per_step":[0-9.e+-]+/)) {
      split(substr($0, RSTART, RLENGTH), f, /[:,]/); n++
      more = f[4] - f[2] - 67108864
      if (more < 0 || more > 0 || f[6] <= 0) bad = 1
      $0 = substr($0, RSTART + RLENGTH) } }
  END { exit n != 2 || bad }' "$scratch/cuda/rossmann_one_cycle/timing.json" ||
  { cat "$scratch/cuda/rossmann_one_cycle/timing.json"; echo "memory or energy is not as planned"; exit 1; }

# Without pinned memory: the same logs, and doctor says what that means.
export BL_EMULATED_PINNED=0
run 0 ordinary --device cuda
sh tests/same_outputs.sh "$scratch/cpu" "$scratch/ordinary" || exit 1
"$BATCHLAB" doctor >"$scratch/out" 2>&1
grep -q '^ *no pinned memory: .*: runs wait for their losses$' "$scratch/out" || fail "doctor does not say that there is no pinned memory"
unset BL_EMULATED_PINNED
"$BATCHLAB" doctor >"$scratch/out" 2>&1
grep -q 'pinned' "$scratch/out" && fail "doctor misses pinned memory that is there"

# How many runs are at work at once: MEMORY MULTIPROCESSORS RUNS. The rule is printed, and the number kept with every result.
while read -r memory processors runs; do
  BL_EMULATED_MEMORY=$memory BL_EMULATED_MULTIPROCESSORS=$processors \
    run 0 rule --device cuda --progress plain --only batch_size=1
  grep -q "^$runs at once on emulated device: half of its free memory" "$scratch/out" || fail "not $runs at once with $memory bytes, $processors multiprocessors"
done <<RULE
210000000 1000 1
500000000 1000 2
1073741824 1000 6
1073741824 12 3
16000000000 7 1
16000000000 1000 32
RULE
run 0 rule --device cuda -j 2 --progress plain --only batch_size=1
grep -q "at once on emulated device" "$scratch/out" && fail "with -j it is the user who says how many"
jobs=$(sed -n 's/.*"jobs":\([0-9]*\).*/\1/p' "$scratch"/cuda/*/*/result.json | sort -u)
[ "$jobs" = 6 ] || fail "results say that $jobs runs were at work at once"

# Level `device`.
run 69 none --set numerics=device
grep -q -- '--device cuda' "$scratch/out" || fail "the refusal does not say what is needed"
run 0 level --device cuda --set numerics=device
for log in "$scratch"/level/*/*/log.jsonl.gz; do
  zcat "$log" | grep -q '"level":"device","device":"emulated device; cuBLASLt[^"]*","algorithms":\["product ' ||
    fail "$log does not name the libraries and what was chosen"
  [ ! -e "$scratch/cpu${log#"$scratch/level"}" ] || fail "level device has the run ids of level exact"
done
BATCHLAB_CUBLASLT=/nowhere/libcublasLt.so run 69 nolib --device cuda --set numerics=device
grep -q 'needs cuBLASLt' "$scratch/out" || fail "the missing library is not named"
# ask WANTED COMMAND options...: another command, on the sweep of level `device`.
ask() {
  want=$1 command=$2
  shift 2
  BATCHLAB_RUNS="$scratch/level" "$BATCHLAB" "$command" rossmann_one_cycle --preset tiny --synthetic --set data.rows=600 \
    --set data.eval_rows=64 --set schedule.horizon_epochs=1 --set sweep.max_epochs=1 --set sweep.targets=[10] \
    --set timing.repeats=1 --set timing.seconds=0.001 --set numerics=device "$@" >"$scratch/out" 2>&1
  got=$?
  [ $got = "$want" ] || fail "$command $*: exit $got, wanted $want"
}
ask 69 plan
grep -q -- '--device cuda' "$scratch/out" || fail "plan does not say who knows run ids of a GPU"
ask 0 plan --device cuda
grep -q 'the sweep is complete' "$scratch/out" || fail "plan --device cuda does not find the runs"
# Locked there, verified there: the device gets its own logs again.
project rossmann_one_cycle
cd "$scratch/project" || exit 1
ask 0 lock --device cuda
ask 69 verify
ask 0 verify --device cuda
grep -q '2 runs equal, 0 differ' "$scratch/out" || fail "verify --device cuda"
