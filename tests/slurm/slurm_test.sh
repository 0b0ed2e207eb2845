#!/bin/sh
# submit on a real Slurm of one node: four workers, one killed with -9, one put back into the queue,
# one told that its time is over; the sweep finishes with the same bytes as on one machine.
set -u
. tests/slurm/cluster.sh
missing=$(cluster_missing)
[ -z "$missing" ] || { echo "$missing is not installed (sh scripts/setup.sh slurm)"; exit 77; }
scratch=$(mktemp -d)
finish() { cluster_stop; rm -rf "$scratch"; }
trap finish EXIT
trap 'exit 1' INT TERM
case $BATCHLAB in /*) ;; *) BATCHLAB=$PWD/$BATCHLAB ;; esac
export BATCHLAB_DATA=/nowhere BATCHLAB_CACHE="${BATCHLAB_CACHE:-$PWD/datasets/cache}"
unset BL_FORCE_IMPL
fail() { echo "slurm: $*"; for f in "$scratch"/four/rossmann/slurm-*.log; do echo "--- $f"; tail -5 "$f"; done; exit 1; }

# Long enough that there is something to interrupt: a few seconds on one core.
sweep="rossmann --preset tiny --synthetic --set sweep.max_epochs=20 --set sweep.seeds=3"
BATCHLAB_RUNS="$scratch/one" "$BATCHLAB" work $sweep -j 2 --progress none 2>"$scratch/err" || fail "alone: exit $?: $(cat "$scratch/err")"

cluster_start "$scratch/cluster" || fail "no cluster: $(tail -3 "$scratch"/cluster/*.out)"
export BATCHLAB_RUNS="$scratch/four" BL_CLAIM_BEAT=0.5 BL_CLAIM_STALE=4
job=$("$BATCHLAB" submit $sweep --slurm --workers 4 2>"$scratch/err" | sed -n 's/^Submitted batch job //p')
[ -n "$job" ] || fail "submit: $(cat "$scratch/err")"

# pid_of TASK: of its worker, once it has one.
pid_of() {
  for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    for proc in /proc/[0-9]*; do
      case $(tr '\0' ' ' 2>/dev/null <"$proc/cmdline") in "$BATCHLAB work "*) ;; *) continue ;; esac
      tr '\0' '\n' 2>/dev/null <"$proc/environ" | grep -qx "BATCHLAB_RUNS=$BATCHLAB_RUNS" || continue
      tr '\0' '\n' 2>/dev/null <"$proc/environ" | grep -qx "SLURM_ARRAY_TASK_ID=$1" && { echo "${proc#/proc/}"; return; }
    done
    sleep 0.2
  done
}
victim=$(pid_of 2)
[ -n "$victim" ] || fail "task 2 has no worker: $(squeue)"
kill -9 "$victim"
scontrol requeue "${job}_3" || fail "requeue"
scancel --signal=USR1 --batch "${job}_4" || fail "signal"

i=0
while [ -n "$(squeue -h -j "$job" 2>/dev/null)" ]; do
  sleep 0.5
  i=$((i + 1))
  [ $i -lt 120 ] || fail "the workers never end: $(squeue)"
done
sh tests/same_outputs.sh "$scratch/one" "$scratch/four" || fail "the stores differ"
"$BATCHLAB" fsck rossmann >"$scratch/out" 2>&1 || fail "fsck: $(cat "$scratch/out")"
state() { scontrol show job "${job}_$1" | tr ' ' '\n' | sed -n "s/^$2=//p" | head -1; }
[ "$(state 2 ExitCode)" = 137:0 ] || fail "task 2 was killed, its exit is $(state 2 ExitCode)"
for task in 3 4; do
  [ "$(state $task Restarts)" = 1 ] || fail "task $task: $(state $task Restarts) restarts"
  [ "$(state $task JobState)" = COMPLETED ] || fail "task $task: $(state $task JobState)"
done
echo "4 workers, 1 killed, 2 put back into the queue: equal"
