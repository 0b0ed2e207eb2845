#!/bin/sh
# Probes of the gradient noise: ids, logs and the plan's answer are the same bytes with them and without; the probes are
# the same bytes at any -j, instruction set and after every interruption; fsck, bundle and verify know their file.
set -u
. tests/cli/lib.sh
export BATCHLAB_CACHE="${BATCHLAB_CACHE:-$PWD/datasets/cache}" BATCHLAB_DATA=/nowhere
export BATCHLAB_REPORTS="$scratch/reports"
tiny="rossmann --preset tiny --synthetic --set data.rows=2000 --set data.eval_rows=128 --set sweep.max_epochs=1
  --set sweep.batch_sizes=[64]"
probed="$tiny --set noise.share=0.2 --set noise.micro_batch=8 --set noise.batches=8"
# Arguments are split into words:
# shellcheck disable=SC2086
sweep without $tiny -j 2
sweep with $probed -j 1
same "$(sums with log.jsonl.gz)" "$(sums without log.jsonl.gz)" "logs with probes and without"
same "$(sums with run.json)" "$(sums without run.json)" "ids with probes and without"
[ -n "$(sums with noise.jsonl.gz)" ] || fail "there are no probes"
same "$(sums with noise.jsonl.gz | wc -l)" "$(sums with log.jsonl.gz | wc -l)" "runs with probes"
[ -z "$(sums without noise.jsonl.gz)" ] || fail "probes that nobody asked for"
grep -q '"noise_sha256":' "$scratch"/with/rossmann/r*/result.json || fail "the result does not speak of them"
grep -q noise "$scratch"/without/rossmann/r*/result.json && fail "the result speaks of probes that are not there"

# Threads, an instruction set, and a process that is killed again and again.
sweep threads $probed -j 2
same "$(sums threads noise.jsonl.gz)" "$(sums with noise.jsonl.gz)" "probes at -j 2"
export BL_FORCE_IMPL=scalar
sweep scalar $probed -j 2
unset BL_FORCE_IMPL
same "$(sums scalar noise.jsonl.gz)" "$(sums with noise.jsonl.gz)" "probes of the scalar kernels"
export BATCHLAB_RUNS="$scratch/killed"
cut_again TERM "1 5 30" run $probed -j 2
cut_again KILL "2 8 40" run $probed -j 2
sweep killed $probed -j 2
same "$(sums killed noise.jsonl.gz)" "$(sums with noise.jsonl.gz)" "probes after interruptions"

# The file is looked after like a log.
export BATCHLAB_RUNS="$scratch/with"
try 0 fsck
try 0 bundle rossmann -o "$scratch/b.tar.gz"
same "$(tar tzf "$scratch/b.tar.gz" | grep -c 'noise.jsonl.gz$')" "$(sums with noise.jsonl.gz | wc -l)" "bundled probes"
# A project of its own, since a lock is written.
project rossmann
repository=$PWD
cd "$scratch/project" || exit 1
try 0 lock $probed
try 0 verify $probed --sample 1
says out ": 1 runs equal, 0 differ"
cd "$repository" || exit 1
run=$(cd "$scratch/with/rossmann" && ls -d r* | head -1)
rm "$scratch/with/rossmann/$run/noise.jsonl.gz"
try 4 fsck
says out "noise.jsonl.gz is gone"
try 4 fsck --repair
sweep with $probed -j 1
same "$(sums with noise.jsonl.gz)" "$(sums threads noise.jsonl.gz)" "probes made again"

# What cannot be is refused where it stands.
export BATCHLAB_RUNS="$scratch/refused"
try 2 run $tiny --set noise.batches=12
says err "power of two"
try 2 run $tiny --set noise.share=0.05 --set noise.micro_batch=65536
says err "training rows"
exit $failed
