#!/bin/sh
# Probes of the gradient noise: ids, logs and the plan's answer are the same bytes with them and without; the probes are
# the same bytes at any -j, instruction set and after every interruption; fsck, bundle and verify know their file.
set -u
. tests/cli/lib.sh
export BATCHLAB_CACHE="${BATCHLAB_CACHE:-$PWD/datasets/cache}" BATCHLAB_DATA=/nowhere
export BATCHLAB_REPORTS="$scratch/reports"
tiny="rossmann --preset tiny --synthetic --set sweep.max_epochs=1 --set sweep.batch_sizes=[64,256]"
probes="--set noise.share=0.1 --set noise.micro_batch=8 --set noise.batches=8"
sweep() { # sweep STORE options...
  export BATCHLAB_RUNS="$scratch/$1"
  shift
  # shellcheck disable=SC2086
  "$BATCHLAB" run $tiny --progress none "$@" \
    >"$scratch/out" 2>"$scratch/err"
  status=$?
  [ $status = 0 ] || [ $status = 5 ] || fail "run $*: exit $status"
}
# logs STORE FILE: the sums of that file of every run.
sums() { (cd "$scratch/$1/rossmann" && sha256sum r*/"$2" 2>/dev/null); }

sweep without -j 2
# shellcheck disable=SC2086
sweep with -j 1 $probes
same "$(sums with log.jsonl.gz)" "$(sums without log.jsonl.gz)" "logs with probes and without"
same "$(sums with run.json)" "$(sums without run.json)" "ids with probes and without"
[ -n "$(sums with noise.jsonl.gz)" ] || fail "there are no probes"
same "$(sums with noise.jsonl.gz | wc -l)" "$(sums with log.jsonl.gz | wc -l)" "runs with probes"
[ -z "$(sums without noise.jsonl.gz)" ] || fail "probes that nobody asked for"
grep -q '"noise_sha256":' "$scratch"/with/rossmann/r*/result.json || fail "the result does not speak of them"
grep -q noise "$scratch"/without/rossmann/r*/result.json && fail "the result speaks of probes that are not there"

# Threads, an instruction set, and a process that is killed again and again.
# shellcheck disable=SC2086
sweep threads -j 2 $probes
same "$(sums threads noise.jsonl.gz)" "$(sums with noise.jsonl.gz)" "probes at -j 2"
export BL_FORCE_IMPL=scalar
# shellcheck disable=SC2086
sweep scalar -j 2 $probes
unset BL_FORCE_IMPL
same "$(sums scalar noise.jsonl.gz)" "$(sums with noise.jsonl.gz)" "probes of the scalar kernels"
export BATCHLAB_RUNS="$scratch/killed"
for events in 1 4; do
  # shellcheck disable=SC2086
  cut_after TERM $events run $tiny -j 2 $probes
  # shellcheck disable=SC2086
  cut_after KILL $((events + 1)) run $tiny -j 2 $probes
done
# shellcheck disable=SC2086
sweep killed -j 2 $probes
same "$(sums killed noise.jsonl.gz)" "$(sums with noise.jsonl.gz)" "probes after interruptions"

# The file is looked after like a log.
export BATCHLAB_RUNS="$scratch/with"
try 0 fsck
try 0 bundle rossmann -o "$scratch/b.tar.gz"
same "$(tar tzf "$scratch/b.tar.gz" | grep -c 'noise.jsonl.gz$')" "$(sums with noise.jsonl.gz | wc -l)" "bundled probes"
# shellcheck disable=SC2086
try 0 verify $tiny --sample 1 $probes
run=$(cd "$scratch/with/rossmann" && ls -d r* | head -1)
rm "$scratch/with/rossmann/$run/noise.jsonl.gz"
try 4 fsck
says out "noise.jsonl.gz is gone"
try 4 fsck --repair
# shellcheck disable=SC2086
sweep with -j 1 $probes
same "$(sums with noise.jsonl.gz)" "$(sums threads noise.jsonl.gz)" "probes made again"

# What cannot be is refused where it stands.
export BATCHLAB_RUNS="$scratch/refused"
# shellcheck disable=SC2086
try 2 run $tiny --set noise.batches=12
says err "power of two"
# shellcheck disable=SC2086
try 2 run $tiny --set noise.share=0.05 --set noise.micro_batch=65536
says err "training rows"
exit $failed
