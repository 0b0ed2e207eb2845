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
  [ -n "$level" ] || cp "$scratch/out" "$scratch/nodes"
  [ "$(grep -c '^simplenn,64,[12],' "$scratch/out")" = 2 ] || fail "gpu_bench --smoke $level has not two rows"
done

# Nodes of a recorded step: what launches cost. A change that adds one says so here.
while read -r net batch most; do
  nodes=$(sed -n "s/^# nodes $net,$batch,//p" "$scratch/nodes")
  [ "${nodes:-999}" -le "$most" ] || fail "$net at $batch: ${nodes:-no} nodes a step, at most $most wanted"
done <<'NODES'
rossmann 64 37
rossmann 512 71
rossmann 8192 71
simplenn 64 11
simple_cnn 128 31
resnet8 256 140
NODES

# Launch-bound nets have floors: one run 5 and 4.9 times as fast as PyTorch, 32 runs 50 and 48 times. Other nets and
# sizes have figures alone, with and without PyTorch's graph.
cat >"$scratch/bench" <<'CSV'
# a card
net,batch,runs,step_us,steps_per_second,examples_per_second
rossmann,64,1,100.00,10000,640000
rossmann,64,32,3200.00,100000,6400000
simplenn,64,1,100.00,10000,1280000
simplenn,64,32,3200.00,98000,6272000
rossmann,8192,1,1000.00,1000,8192000
resnet8,256,1,500.00,2000,512000
resnet8,256,32,8000.00,4000,1024000
CSV
cat >"$scratch/peer" <<'CSV'
# PyTorch
rossmann,64,eager,500.00
rossmann,64,graph,150.00
simplenn,64,eager,490.00
# simplenn,64,graph: it was not captured
rossmann,8192,graph,900.00
resnet8,256,eager,250.00
CSV
awk -f "$here/tests/gpu/floors.awk" "$scratch/bench" "$scratch/peer" | awk '$1 == "figure" { $1 = $1; print; next } { print $1, $2, $5, $6, $7 }' >"$scratch/out"
cat >"$scratch/wanted" <<'ROWS'
met 5.00 5 one run
met 50.00 50 32 runs
figure rossmann at B = 64: 100.0 us a step; times PyTorch eager 5.00, graph 1.50; 32 runs at once: eager 50.00, graph 15.00
missed 4.90 5 one run
missed 48.02 50 32 runs
figure simplenn at B = 64: 100.0 us a step; times PyTorch eager 4.90, graph -; 32 runs at once: eager 48.02, graph -
figure rossmann at B = 8192: 1000.0 us a step; times PyTorch eager -, graph 0.90; 0 runs at once: eager -, graph -
figure resnet8 at B = 256: 500.0 us a step; times PyTorch eager 0.50, graph -; 32 runs at once: eager 1.00, graph -
ROWS
cmp -s "$scratch/out" "$scratch/wanted" || fail "the floors are not as made: $(diff "$scratch/wanted" "$scratch/out")"

# A folder of stand-ins: a device that doctor sees, a test program that hangs and does not heed TERM, one with too many
# failures, one that crashes. What follows them runs all the same.
dist=$scratch/dist
mkdir -p "$dist/tests/gpu" "$dist/experiments/made" "$scratch/bin" "$scratch/home"
cp tests/gpu/floors.awk "$dist/tests/gpu/"
stand_in() { # stand_in FILE: a script from standard input
  { echo '#!/bin/sh'; cat; } >"$1"
  chmod +x "$1"
}
stand_in "$dist/batchlab" <<'SH'
[ "$1" = doctor ] && { echo "cuda       a made device, 32 multiprocessors"; exit 0; }
echo "no sweep here"
exit 69
SH
stand_in "$dist/tests/families_test" <<'SH'
[ "$#" = 2 ] && [ "${BATCHLAB_CUDA_CHECK:-}" != 1 ] && exit 3
[ "$#" = 2 ] && { echo "ok 1 - first"; exit 0; }
[ -n "${BATCHLAB_CUDA_CHECK:-}" ] && exit 4
i=0
while [ $i -lt 2000 ]; do
  i=$((i + 1))
  printf 'not ok %s - case number %s of a family with a long name indeed\n# y[17] is 0x1p+0, wanted 0x1p-1\n# file.c:17\n' $i $i
done
echo "ok 2001 - last"
exit 1
SH
stand_in "$dist/tests/device_products_test" <<'SH'
echo "ok 1 - products"
SH
stand_in "$dist/tests/device_test" <<'SH'
trap '' TERM
echo "ok 1 - before it hung"
while :; do sleep 1; done
SH
stand_in "$dist/tests/device_steps_test" <<'SH'
echo "ok 1 - before the crash"
echo "the last words" >&2
kill -SEGV $$
SH
stand_in "$dist/tests/device_gradient_test" <<'SH'
echo "ok 1 - gradients"
echo "not ok 2 # SKIP of no moment"
SH
stand_in "$dist/tests/gpu_bench" <<'SH'
echo "# a made device"
[ "${1:-}" = --device ] && { echo "gpu_bench: cuDNN refused" >&2; exit 1; }
echo "rossmann,64,1,1.00,1,1"
i=0
while [ $i -lt 400 ]; do i=$((i + 1)); echo "# a line that takes room in the output, number $i"; done
SH
stand_in "$scratch/bin/compute-sanitizer" <<'SH'
echo "sanitizer $*"
echo "========= COMPUTE-SANITIZER"
[ -z "${FINE:-}" ] || exit 0
echo "========= Error: ${SAYS:-Device not supported}"
exit 99
SH
go() { # go WANTED OPTION...: the script in that folder
  want=$1
  shift
  rm -rf "$scratch/home"
  mkdir "$scratch/home"
  OUT=$scratch/home GPU_EACH=2 PATH="$scratch/bin:$PATH" sh "$dist/tests/gpu/run" "$@" >"$scratch/out" 2>&1
  got=$?
  [ $got = "$want" ] || fail "run $*: exit $got, wanted $want"
  [ "$(wc -c <"$scratch/out")" -lt 12000 ] || fail "the output has $(wc -c <"$scratch/out") characters"
  [ -s "$scratch/home/gpu-report.tgz" ] || fail "no archive in OUT"
}
says() { grep -q -- "$1" "$scratch/out" || fail "it does not say: $1"; }
go 1
says '^passed   first kernels, each waited for .*1 cases passed'
says '^failed   every kernel case on the device .*1 cases passed, 2000 failed'
says '^         not ok case number 10 of'
says '^            y\[17\] is 0x1p+0, wanted'
grep -q 'case number 11 of' "$scratch/out" && fail "more than the first ten reasons"
says '^failed   runs: logs, states, divergence .*not done after 2 s'
says '^failed   steps ahead of the host .*exit 139'
says '^         the last words'
says '^passed   gradient checks .*1 cases passed, 0 failed, 1 skipped'
says '^passed   benchmark exact .*1 measurements'
says '^failed   benchmark device .*cuDNN refused'
says '^skipped  made .*no sweep here'
says '^failed: every kernel case on the device; runs: logs'
says '^5 passed, 4 failed, '
tar -xzf "$scratch/home/gpu-report.tgz" -C "$scratch/home" || fail "the archive is damaged"
grep -q 'case number 2000 of' "$scratch/home/gpu-report/families_test.log" || fail "the archive lacks the log"
says 'what had no room here is in output.txt'
grep -q 'takes room in the output, number 400' "$scratch/home/gpu-report/output.txt" || fail "output.txt is not whole"

# The sanitizer that a sandbox does not let look is no failure; what it finds is.
go 0 --sanitize
says '^skipped  compute-sanitizer memcheck, .*Device not supported'
says '^1 passed, 0 failed, 4 skipped$'
SAYS="Invalid __global__ read of size 4" go 1 --sanitize
says '^failed   compute-sanitizer racecheck, families and steps '
says '^failed   compute-sanitizer racecheck, every case '
says 'Invalid __global__ read of size 4'
FINE=1 go 0 --sanitize
says '^5 passed, 0 failed, 0 skipped$'
for tool in memcheck racecheck; do
  grep -q "^sanitizer --tool $tool .* tests/families_test cuda\*/random/ref$" "$dist/gpu-report/$tool.short.log" &&
    grep -q "^sanitizer --tool $tool .* tests/device_test test_convolutional_nets$" "$dist/gpu-report/$tool.short.log" &&
    grep -q "^sanitizer --tool $tool .* tests/families_test cuda\*$" "$dist/gpu-report/$tool.all.log" ||
    fail "$tool is not asked for every kernel case"
done
