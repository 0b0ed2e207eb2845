#!/bin/sh
# run --only and --fail-fast: what is selected is trained and nothing else, the rest can follow, and
# all of it is what a sweep without them makes.
set -u
. tests/cli/lib.sh
export BATCHLAB_DATA=/nowhere BATCHLAB_RUNS="$scratch/runs" BATCHLAB_REPORTS="$scratch/reports"

tiny() { # tiny STATUS options...
  want=$1
  shift
  try "$want" run rossmann --preset tiny --synthetic --set sweep.max_epochs=2 --progress none "$@"
}
rates() { # the learning rates of the runs that are done
  for run in "$BATCHLAB_RUNS"/rossmann/*/run.json; do
    sed 's/.*"train.learning_rate":\([^,}]*\).*/\1\n/' "$run"
  done | grep . | sort -g
}

tiny 2 --only 'learning_rat<1'
says err "unknown key 'learning_rat'; did you mean 'train.learning_rate'"
[ ! -e "$BATCHLAB_RUNS" ] || { echo "--- a store was made"; failed=1; }
tiny 0 --only 'learning_rate<0.001'
says err "^round 'batch 64' waits for 1 of its 3 runs, which were left out and are not in the store; what --only selects is done"
[ "$(rates)" = "0.00048828125
0.0009765625" ] || { echo "--- trained:"; rates; failed=1; }
[ ! -s "$scratch/out" ] || { echo "--- an answer without its runs"; failed=1; }
tiny 0 --only 'learning_rate>=0.001 batch_size=64'
"$BATCHLAB" status rossmann --json >"$scratch/out"
says out '^{"experiment":"rossmann","done":[0-9]*,"running":0,"interrupted":0,"failed":0,"damaged":0,"set_aside":0}$'
tiny 0
says out "^Figures and tables"
plan=$(sha256sum <"$BATCHLAB_RUNS/rossmann/plan.jsonl")
# What is known needs no selection.
tiny 0 --only batch_size=7
BATCHLAB_RUNS="$scratch/whole" tiny 0
[ "$plan" = "$(sha256sum <"$scratch/whole/rossmann/plan.jsonl")" ] || { echo "--- another plan"; failed=1; }

# A run without memory is an outcome; with --fail-fast it ends the sweep.
large='--set model.hidden=[65536,65536,65536,65536,65536,65536,65536,65536] --set sweep.batch_sizes=[1024] --set data.rows=2048'
BATCHLAB_RUNS="$scratch/large" tiny 1 $large --fail-fast
says err "^batchlab: run r[0-9a-f]\{12\} of round 'batch 1024' did not fit into memory"
exit $failed
