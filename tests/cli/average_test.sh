#!/bin/sh
# Averaged weights (eval.average): the same bytes at any -j, and stopped or killed and continued; ids
# of their own; what show says of such a run.
set -u
. tests/cli/lib.sh
export BATCHLAB_CACHE="${BATCHLAB_CACHE:-$PWD/datasets/cache}" BATCHLAB_DATA=/nowhere
export BATCHLAB_REPORTS="$scratch/reports"
plain="rossmann --preset tiny --synthetic --set data.rows=2000 --set data.eval_rows=128 --set sweep.max_epochs=1
  --set sweep.batch_sizes=[64]"
averaged="$plain --set eval.average=power"

runs() { (cd "$scratch/$1/rossmann" && ls -d r*/); }

sweep one $averaged -j 1
export BATCHLAB_RUNS="$scratch/two"
cut_after TERM 12 run $averaged -j 2 || fail "the sweep ended before it was stopped"
sweep two $averaged -j 2
sh tests/same_outputs.sh "$scratch/one" "$scratch/two" || failed=1
export BATCHLAB_RUNS="$scratch/killed"
cut_after KILL 14 run $averaged -j 2 || fail "the sweep ended before it was killed"
sweep killed $averaged -j 1
sh tests/same_outputs.sh "$scratch/one" "$scratch/killed" || failed=1

# No run is another's, and the default is the run without the key.
sweep plain $plain --set eval.average=none
[ -z "$(runs one | grep -xF "$(runs plain)")" ] || fail "an averaged run has a plain one's id"
sweep default $plain
same "$(runs default)" "$(runs plain)" "ids under eval.average = none"

export BATCHLAB_RUNS="$scratch/one"
try 0 show "$(runs one | head -n 1 | tr -d /)"
says out '^evaluations (.*), by averaged weights$'
says out '^  eval.average  *"power"$'
says out '^  eval.average_width  *0.1$'
export BATCHLAB_RUNS="$scratch/plain"
try 0 show "$(runs plain | head -n 1 | tr -d /)"
says out '^evaluations (.*)$'
grep -q 'average' "$scratch/out" && fail "a plain run has an average"

try 2 check rossmann --set eval.average_width=0.289
says err "above 0, up to 0.288"
try 2 check rossmann --set eval.average=mean
exit $failed
