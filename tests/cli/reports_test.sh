#!/bin/sh
# Two stores made apart, with one worker and with two, give the same report: at once every file that
# no measured time is in, and with one store's timing.json in the other every file to the byte.
set -u
. tests/cli/lib.sh

report() { # report JOBS COMMAND...
  j=$1
  shift
  BATCHLAB_RUNS="$scratch/$j.runs" BATCHLAB_REPORTS="$scratch/$j" "$BATCHLAB" "$@" >"$scratch/out" 2>&1 ||
    { cat "$scratch/out"; exit 1; }
}
# sums JOBS: of every file of the folder of this preset, and through every link that leads there.
sums() { (cd "$scratch/$1/quadratic" && find . ! -type d | LC_ALL=C sort | xargs sha256sum) >"$scratch/$1.sums"; }

for j in 1 2; do
  report $j run quadratic --preset tiny -j $j --progress none
  sums $j
done
cmp "$scratch/1.runs/quadratic/plan.jsonl" "$scratch/2.runs/quadratic/plan.jsonl" || failed=1
# What a time is in, or what is drawn from one.
timed='/\(time\|throughput\|step_time\|resources\|curves_time\)\.\|/recommendation\.\|/sizes\.\|/report\.html$\|/\.drawn-from$'
for j in 1 2; do awk '{ print $2 }' "$scratch/$j.sums" >"$scratch/$j.names"; done
cmp "$scratch/1.names" "$scratch/2.names" || failed=1
for place in ./tiny/ ./; do
  [ "$(grep -c "^$place[^/]*$" "$scratch/1.names")" -ge 20 ] || { echo "few files in $place"; cat "$scratch/1.names"; failed=1; }
done
for file in $(grep -v "$timed" "$scratch/1.names"); do
  cmp "$scratch/1/quadratic/$file" "$scratch/2/quadratic/$file" || failed=1
done

cp "$scratch/1.runs/quadratic/timing.json" "$scratch/2.runs/quadratic/"
report 2 report quadratic
sums 2
diff "$scratch/1.sums" "$scratch/2.sums" || { echo "reports differ with equal times"; failed=1; }

# With --preset the answer of that preset: the last sweep's from its plan, another's from the report that it left.
export BATCHLAB_RUNS="$scratch/1.runs" BATCHLAB_REPORTS="$scratch/1"
kept=$scratch/1/quadratic/other
cp -r "$scratch/1/quadratic/tiny" "$kept"
echo "kept words" >"$kept/recommendation.txt"
try 0 recommend quadratic --preset tiny
says out '^quadratic, preset tiny, '
[ -s "$scratch/err" ] && fail "a note without need"
try 0 recommend quadratic --preset other
same "$(cat "$scratch/out")" "kept words" "the kept report"
says err "^note: the last sweep is of preset 'tiny'; this report was kept in $kept/$"
try 0 recommend quadratic --preset other --json
cmp "$scratch/out" "$kept/recommendation.json" || fail "the kept JSON"
for command in report plot; do
  try 0 $command quadratic --preset other
  says out "^$kept/"
  same "$(cat "$kept/recommendation.txt")" "kept words" "$command of a kept report"
done
# Two presets side by side: the last sweep's plan, and a kept report. They hold the same, so all ratios are 1.
try 0 compare quadratic quadratic:other --preset tiny
says out '^A  quadratic, preset tiny: no data, until expected_loss <= 0.1$'
says out '^   64 .*  53 .*  53       1$'
says out "^Figure: $scratch/1/compare/quadratic-quadratic.other/compare.svg$"
awk 'length > 80 && !/^Figure: /' "$scratch/out" | grep -q . && fail "a line of more than 80 columns"
cmp "$scratch/1/compare/quadratic-quadratic.other/compare.txt" "$scratch/out" >"$scratch/differ" 2>&1
grep -q '^cmp: EOF on .*compare.txt' "$scratch/differ" || fail "compare.txt is not what was said"
try 0 compare quadratic quadratic:tiny -o "$scratch/place" --json
says out '^{"a":{"experiment":"quadratic","preset":"tiny",.*"steps_verdict":"unknown"'
cmp "$scratch/out" "$scratch/place/compare.json" || fail "compare.json is not what was said"
try 2 compare quadratic ./quadratic
says err "expected NAME or NAME:PRESET"
try 2 compare quadratic
says err "which two sweeps?"
try 2 compare quadratic quadratic:none
says err "^batchlab: there is no report of preset 'none'"
# A run whose log or folder is gone is told of by the plan alone, and that is said.
set -- $(ls "$BATCHLAB_RUNS/quadratic" | grep -x 'r[0-9a-f]\{12\}')
runs=$#
mkdir "$scratch/gone"
mv "$BATCHLAB_RUNS/quadratic/$1" "$scratch/gone/"
try 0 recommend quadratic
says err "^note: the logs of 1 of $runs runs are gone; .* \`batchlab run quadratic\` trains them again$"
try 0 run quadratic --preset tiny --progress none
try 0 recommend quadratic
[ -s "$scratch/err" ] && fail "a note without need, after the run was trained again"
cmp "$BATCHLAB_RUNS/quadratic/$1/log.jsonl.gz" "$scratch/gone/$1/log.jsonl.gz" || fail "another log"

mv "$kept" "$kept-no-answer"
sed -i 's/"answered":true/"answered":false/' "$kept-no-answer/recommendation.json"
try 5 recommend quadratic --preset other
try 5 compare quadratic:tiny quadratic:other
try 2 recommend quadratic --preset none
says err "^batchlab: there is no report of preset 'none' of quadratic in .*\`batchlab run quadratic --preset none\` makes it$"
try 2 recommend quadratic --preset ../quadratic/tiny
exit $failed
