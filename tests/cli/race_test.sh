#!/bin/sh
# The race against the whole grid on the generated shops, where 12 steps suffice and the steps have several
# valleys: it names the winner of every rate and seed for at most half the steps, and a race that
# looks near its best only does not. (The same on a table and the quadratic model: tests/unit/sweep_test.c.)
set -eu
. tests/cli/lib.sh
export BATCHLAB_CACHE="${BATCHLAB_CACHE:-$PWD/datasets/cache}" BATCHLAB_DATA=/nowhere BATCHLAB_RUNS="$scratch/runs"
export BATCHLAB_REPORTS="$scratch/reports"
project rossmann
cp tests/sweeps/whole_grid.lua "$scratch/project/experiments/rossmann/sweep.lua"
cd "$scratch/project"

"$BATCHLAB" run rossmann --preset tiny --synthetic -j 2 --progress plain --set sweep.seeds=3 --set "sweep.targets=[0.5]" \
  --set "sweep.batch_sizes=[64]" --set sweep.max_epochs=0.5 --set sweep.lr_min=0.0009765625 --set sweep.lr_max=1 \
  >out 2>err || [ $? = 5 ] || { cat err; exit 1; }
compared=$(grep '"by_grid":' "$BATCHLAB_RUNS/rossmann/plan.jsonl") || { echo "no comparison"; cat err; exit 1; }
number() { echo "$compared" | sed "s/.*\"$1\":\([0-9]*\).*/\1/"; }
echo "$compared" | sed 's/.*"text":"\([^"]*\)".*/\1/'
[ "$(number sizes)" = 1 ] && [ "$(number all)" = 1 ] || { echo "another winner: $compared"; exit 1; }
[ "$(number near)" = 0 ] || { echo "nothing shown, one valley: $compared"; exit 1; }
[ $((2 * $(number by_all))) -le "$(number by_grid)" ] || { echo "more than half: $compared"; exit 1; }
