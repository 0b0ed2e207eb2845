#!/bin/sh
# Finished runs of the release before, whose ids had no letter and whose keys other names: `run` takes them
# over without training them, and they are what training them gives, byte for byte. tests/golden/old_store
# holds two runs of the quadratic's tiny preset as that release left them.
set -u
. tests/cli/lib.sh
export BATCHLAB_RUNS="$scratch/adopted" BATCHLAB_REPORTS="$scratch/reports"
store=$scratch/adopted/quadratic
old=$(ls tests/golden/old_store)

mkdir -p "$store"
cp -r tests/golden/old_store/. "$store/"
try 0 run quadratic --preset tiny --progress none
BATCHLAB_RUNS=$scratch/trained try 0 run quadratic --preset tiny --progress none

for id in $old; do
  result=$(grep -l "\"adopted_from\":\"$id\"" "$store"/r*/result.json)
  [ -n "$result" ] || { fail "run $id was not adopted"; continue; }
  dir=${result%/result.json}
  run=$(basename "$dir")
  trained=$scratch/trained/quadratic/$run
  [ -d "$trained" ] || { fail "$run is no run of this sweep"; continue; }
  zcat "$dir/log.jsonl.gz" >"$scratch/a" && zcat "$trained/log.jsonl.gz" >"$scratch/b"
  cmp "$scratch/a" "$scratch/b" || fail "$run: the adopted log is not the trained one"
  cmp "$dir/run.json" "$trained/run.json" || fail "$run: the identities differ"
  zcat "tests/golden/old_store/$id/log.jsonl.gz" | sed "1d; \$d" >"$scratch/old"
  sed "1d; \$d" "$scratch/a" | cmp - "$scratch/old" || fail "$run: records differ from the old run's"
  [ ! -e "$dir/checkpoint-A" ] && [ ! -e "$dir/timing.jsonl.gz" ] || fail "$run was trained"
  [ -f "$store/$id/result.json" ] || fail "the old run $id is gone"
done
adopted=$(grep -l adopted_from "$store"/r*/result.json | wc -l)
[ "$adopted" = 2 ] || fail "$adopted runs adopted, not 2"
try 0 fsck quadratic
same "$(ls "$scratch/trained/quadratic" | grep -c '^r')" "$(ls "$store" | grep -c '^r')" "as many runs as without a store"

# A log that is not exactly what that release wrote is left alone, and the run is trained.
rm -rf "$store"
mkdir -p "$store"
cp -r tests/golden/old_store/. "$store/"
id=$(echo "$old" | head -1)
sed 's/"seconds":[0-9.]*/"seconds":1/' "$store/$id/result.json" >"$scratch/x" && cp "$scratch/x" "$store/$id/result.json"
try 0 run quadratic --preset tiny --progress none
adopted=$(grep -l adopted_from "$store"/r*/result.json | wc -l)
[ "$adopted" = 1 ] || fail "$adopted runs adopted after one was damaged, not 1"
exit $failed
