#!/bin/sh
# why: every trial of a plan is explained by what plan.jsonl says of it, and nothing is changed.
set -u
. tests/cli/lib.sh
export BATCHLAB_DATA=/nowhere BATCHLAB_RUNS="$scratch/runs" BATCHLAB_REPORTS="$scratch/reports"

why() { try "$1" why "$2"; } # why STATUS word

"$BATCHLAB" run rossmann --preset tiny --synthetic --set "sweep.targets=[0.5]" --set sweep.race_cutoff=1.1 --progress none >/dev/null 2>"$scratch/err"
[ $? = 0 ] || [ $? = 5 ] || { cat "$scratch/err"; exit 1; }
store=$BATCHLAB_RUNS/rossmann
find "$store" -type f -exec sha256sum {} + | sort >"$scratch/before"

# One explanation for each trial of a run, in its words; sorted by outcome, every kind is there.
grep '"record":"trial"' "$store/plan.jsonl" >"$scratch/trials"
field() { sed "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/"; }
while read -r trial; do
  run=$(echo "$trial" | field run)
  steps=$(echo "$trial" | field steps)
  why 0 "$run"
  says out "^asked in   round [0-9]*, "
  [ "$(grep -c "^           answered at step" "$scratch/out")" = "$(grep -c "\"run\":\"$run\"" "$scratch/trials")" ] || { echo "--- trials of $run"; cat "$scratch/out"; failed=1; }
  case $(echo "$trial" | field outcome) in
    target) says out "step $steps: the first evaluation at or below the target $(echo "$trial" | field target) (not yet at step $(echo "$trial" | field before))" ;;
    budget) says out "step $steps: its budget of $(echo "$trial" | field max_steps) steps" ;;
    race)
      round=$(echo "$trial" | sed 's/.*"round":\([0-9]*\).*/\1/')
      hit=$(grep "\"round\":$round," "$scratch/trials" | sed -n 's/.*"hit":\([1-9][0-9]*\).*/\1/p' | sort -n | head -1)
      says out "step $steps: the first evaluation at or after 1.1 x $hit steps, in which run r[0-9a-f]\{12\} won"
      ;;
    *) echo "unexpected: $trial"; failed=1 ;;
  esac
done <"$scratch/trials"
for outcome in target budget race; do
  grep -q "\"outcome\":\"$outcome\"" "$scratch/trials" || { echo "--- no trial ended by $outcome: the test needs another sweep"; failed=1; }
done

best=$(grep '"kind":"best"' "$store/plan.jsonl" | tail -1)
run=$(echo "$best" | sed 's/.*"runs":\["\(r[0-9a-f]*\)".*/\1/')
why 0 "$run"
says out "^carries    batch [0-9]*: "
says out "^           decided before: "
says out "^nearest    run r[0-9a-f]\{12\}: this one | that one"
[ "$(grep -c '^  train\.' "$scratch/out")" = 1 ] || { echo "--- the nearest differs in one setting"; cat "$scratch/out"; failed=1; }
find "$store" -type f -exec sha256sum {} + | sort | cmp - "$scratch/before" || { echo "--- looking changed files"; failed=1; }

# The nearest of all, whichever comes first in the folder: one setting apart for the winner; the same
# settings on other data are one apart, too, and said to be.
sed 's/"dataset":"[0-9a-f]*"/"dataset":"other"/' "$store/$run/run.json" >"$scratch/run.json"
mkdir "$store/r000000000001" "$store/rffffffffffff"
cp "$scratch/run.json" "$store/rffffffffffff/run.json"
sed 's/"train.seed":1/"train.seed":9/; s/"train.batch_size":[0-9]*/"train.batch_size":3/; s/"train.learning_rate":[0-9.e-]*/"train.learning_rate":7/' "$store/$run/run.json" >"$store/r000000000001/run.json"
why 0 "$run"
says out "^nearest    run "
grep -q "^nearest    run r000000000001" "$scratch/out" && { echo "--- the first is not the nearest"; failed=1; }
why 0 rffffffffffff
says out "^nearest    run $run: "
says out "^  dataset  *other data$"
rm -r "$store/r000000000001" "$store/rffffffffffff"

# Not finished, damaged, asked by nobody, no run.
cp -r "$store/$run" "$store/raaaaaaaaaaaa"
rm "$store/raaaaaaaaaaaa/result.json"
zcat "$store/$run/log.jsonl.gz" | head -5 >"$store/raaaaaaaaaaaa/log.jsonl.part"
why 0 raaaaaaaaaaaa
says out "^state      interrupted after step [0-9]*: "
says out "^asked      by no trial of "
rm "$store/raaaaaaaaaaaa/log.jsonl.part"
why 0 raaaaaaaaaaaa
says out "^state      begun, without a checkpoint"
truncate -s -1 "$store/$run/log.jsonl.gz"
why 0 "$run"
says out "^state      damaged: .*/log.jsonl.gz: damaged after [0-9]* uncompressed bytes: it is cut short"
why 2 rffffffffffff
why 2 "$scratch"
"$BATCHLAB" why 2>/dev/null && failed=1
exit $failed
