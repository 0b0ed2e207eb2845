#!/bin/sh
# A dry run, and what is drawn: a sweep that finds everything done draws its report again exactly when something it is drawn from
# has changed or one of its files is gone.
set -u
command -v gnuplot >/dev/null || { echo "gnuplot is not installed: nothing is drawn whole"; exit 77; }
. tests/cli/lib.sh
export BATCHLAB_RUNS="$scratch/runs" BATCHLAB_REPORTS="$scratch/reports"
unset BATCHLAB_DATA
few
cd "$scratch/project" || exit 1
cat >experiments/few/sweep.lua <<'LUA'
return function(exp)
  exp:run{ title = "few", { batch_size = 16, learning_rate = 0.01, max_steps = 4 } }
end
LUA
report=$BATCHLAB_REPORTS/few

run() { # with what it says in $scratch/out
  "$BATCHLAB" run few --progress none >"$scratch/out" 2>"$scratch/err"
  status=$?
}
redraws() { # redraws 0|1 what: was the report drawn by the next run, and did that say the same?
  touch -d @1000000000 "$report/report.html"
  run
  drawn=0
  [ -n "$(find "$report/report.html" -newermt @1000000001)" ] && drawn=1
  [ "$drawn" = "$1" ] || { echo "--- $2: drawn $drawn, wanted $1"; cat "$scratch/err"; failed=1; }
  [ "$status" = "$first" ] || { echo "--- $2: exit $status, wanted $first"; failed=1; }
  cmp "$scratch/out" "$scratch/words" || { echo "--- $2: other words"; failed=1; }
}

# The estimate of a dry run names the presets that there are, also none or one.
dry() { # dry WORD: the one line of the estimate begins with it
  "$BATCHLAB" run few -n >"$scratch/out" 2>"$scratch/err" || { echo "--- run -n: exit $?"; cat "$scratch/err"; failed=1; }
  [ "$(sed -n 's/^  \([a-z]*\)  *about .*/\1/p' "$scratch/out")" = "$1" ] || { echo "--- run -n, wanted $1:"; cat "$scratch/out"; failed=1; }
  [ ! -e "$BATCHLAB_RUNS" ] || { echo "--- run -n made a store"; failed=1; }
}
dry all
cp experiments/few/experiment.cfg "$scratch/few.cfg"
echo 'presets: { tiny: { sweep: { seeds = 1; }; }; };' >>experiments/few/experiment.cfg
dry tiny
mv "$scratch/few.cfg" experiments/few/experiment.cfg

run
first=$status
[ "$first" = 0 ] || [ "$first" = 5 ] || { cat "$scratch/err"; exit 1; }
cp "$scratch/out" "$scratch/words"
redraws 0 "nothing changed"

# Every file of the report, the note itself among them, is there again after the next run.
for file in $(ls -A "$report"); do
  [ "$file" = report.html ] && continue
  rm "$report/$file"
  redraws 1 "without $file"
  [ -e "$report/$file" ] || { echo "--- $file was not drawn again"; failed=1; }
done
# The words are said again as they were drawn, or drawn again.
printf X | dd of="$report/recommendation.txt" bs=1 seek=3 conv=notrunc 2>/dev/null
redraws 1 "other words in recommendation.txt"
rm "$report/report.html"
run
[ -e "$report/report.html" ] || { echo "--- report.html was not drawn again"; failed=1; }

# Everything it is drawn from; the same bytes with another time are no change.
touch reports/templates/* "$BATCHLAB_RUNS/few/timing.json"
redraws 0 "other times of its inputs"
printf '\n' >>"$BATCHLAB_RUNS/few/timing.json"
redraws 1 "other timings"
redraws 0 "the same timings again"
template=$(ls reports/templates/* | head -1)
cp "$template" "$scratch/template"
printf '\n' >>"$template"
redraws 1 "another template"
cp "$scratch/template" "$template"
redraws 1 "the template of before"
cp "$BATCHLAB" "$scratch/batchlab" && cp "$(dirname "$BATCHLAB")"/*.so "$scratch/" 2>/dev/null
BATCHLAB=$scratch/batchlab
redraws 1 "another program"
sed -i 's/max_steps = 4/max_steps = 8/' experiments/few/sweep.lua
touch -d @1000000000 "$report/report.html"
run
[ -n "$(find "$report/report.html" -newermt @1000000001)" ] || { echo "--- another plan is not drawn"; failed=1; }

# A note that is cut short says nothing.
cp "$scratch/out" "$scratch/words"
first=$status
truncate -s -1 "$report/.drawn-from"
redraws 1 "a note without its end"
exit $failed
