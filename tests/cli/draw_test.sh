#!/bin/sh
# A report takes the place of the older one whole: two commands that draw it at once, one of them killed, and a disk that fills
# while it is drawn. A few lines of shell stand in for gnuplot.
set -u
. tests/cli/lib.sh
export BATCHLAB_RUNS="$scratch/runs" BATCHLAB_REPORTS="$scratch/reports"
unset BATCHLAB_DATA
project quadratic
mkdir "$scratch/bin"
cd "$scratch/project" || exit 1
# Says where it is and who (its process, in $GATE.NAME) and waits there while $GATE.NAME.shut exists. EMPTY: as on a full disk.
cat >"$scratch/bin/gnuplot" <<'SH'
#!/bin/sh
name=${2%.gp}
if [ -n "${GATE:-}" ]; then
  echo $$ >"$GATE.$name"
  while [ -e "$GATE.$name.shut" ]; do sleep 0.02; done
fi
if [ -n "${EMPTY:-}" ]; then
  for ending in svg linear.svg png pdf; do : >"$name.$ending"; done
  exit 0
fi
printf '<svg></svg>\n' | tee "$name.svg" >"$name.linear.svg"
printf 'IEND\256B`\202' >"$name.png"
printf '%%%%EOF\n' >"$name.pdf"
SH
chmod +x "$scratch/bin/gnuplot"
PATH=$scratch/bin:$PATH
report=$BATCHLAB_REPORTS/quadratic/tiny

appears() { # appears FILE: within 20 seconds
  tries=0
  while [ ! -s "$1" ] && [ $tries -lt 1000 ]; do sleep 0.02; tries=$((tries + 1)); done
  [ -s "$1" ] || { echo "--- $1 does not appear"; exit 1; }
}
same_report() { # same_report WHAT: file for file what one undisturbed drawing left, and nothing beside it
  diff -r "$scratch/whole" "$report" || { echo "--- $1: the report is not whole"; failed=1; }
}

"$BATCHLAB" run quadratic --preset tiny --progress none >"$scratch/out" 2>"$scratch/err"
first=$?
[ $first = 0 ] || [ $first = 5 ] || { cat "$scratch/err"; exit 1; }
cp -r "$report" "$scratch/whole"
figures=$(cd "$report" && ls ./*.pdf | sed 's|./||; s|\.pdf$||')
[ "$(echo "$figures" | wc -l)" -ge 2 ] || { echo "--- fewer than two figures"; exit 1; }

# In the order of drawing: each figure's script is written in that order, too.
rm -r "$report"
GATE=$scratch/order "$BATCHLAB" report quadratic >/dev/null
order=$(ls -tr "$scratch"/order.* | sed 's|.*/order\.||')
early=$(echo "$order" | head -1) late=$(echo "$order" | tail -1)

# One is at its last figure when the other begins, draws its first, and is killed.
rm "$report/$early.svg"
: >"$scratch/a.$late.shut"
: >"$scratch/b.$early.shut"
GATE=$scratch/a "$BATCHLAB" run quadratic --preset tiny --progress none >"$scratch/out" 2>"$scratch/err" &
survivor=$!
appears "$scratch/a.$late"
GATE=$scratch/b "$BATCHLAB" run quadratic --preset tiny --progress none >/dev/null 2>&1 &
victim=$!
appears "$scratch/b.$early"
kill -9 $victim
wait $victim 2>/dev/null
# Its gnuplot goes with it, and does not write into a folder that another command sweeps.
drawer=$(cat "$scratch/b.$early") tries=0
while kill -0 "$drawer" 2>/dev/null && [ $tries -lt 500 ]; do sleep 0.02; tries=$((tries + 1)); done
kill "$drawer" 2>/dev/null && { echo "--- gnuplot outlives the command that was killed"; failed=1; }
rm "$scratch/a.$late.shut"
wait $survivor
[ $? = $first ] || { echo "--- the survivor ends otherwise"; cat "$scratch/err"; failed=1; }
rm "$scratch/b.$early.shut"
same_report "two at once, one killed"

# Both end: the one that began first ends last.
rm "$report/$early.svg"
rm -f "$scratch"/a.* "$scratch"/b.*
: >"$scratch/a.$early.shut"
GATE=$scratch/a "$BATCHLAB" run quadratic --preset tiny --progress none >/dev/null 2>&1 &
slow=$!
appears "$scratch/a.$early"
"$BATCHLAB" run quadratic --preset tiny --progress none >/dev/null 2>&1
rm "$scratch/a.$early.shut"
wait $slow
same_report "two at once"

# What the killed one left is gone after the next run.
"$BATCHLAB" run quadratic --preset tiny --progress none >/dev/null 2>&1
left=$(find "$BATCHLAB_REPORTS" -name '*.tmp-*')
[ -z "$left" ] || { echo "--- left over: $left"; failed=1; }

# Empty figures are an error, and the older report stays, for run, plot and report.
rm "$report/$early.svg"
cp -r "$report" "$scratch/older"
for command in 'run quadratic --preset tiny --progress none' 'plot quadratic' 'report quadratic'; do
  # shellcheck disable=SC2086 # words
  EMPTY=1 "$BATCHLAB" $command >/dev/null 2>"$scratch/err"
  code=$?
  [ $code = 74 ] || { echo "--- $command with empty figures: exit $code"; failed=1; }
  grep -q 'did not write .* whole' "$scratch/err" || { echo "--- $command says:"; cat "$scratch/err"; failed=1; }
  diff -r "$scratch/older" "$report" || { echo "--- $command: the older report does not stay"; failed=1; }
done
left=$(find "$BATCHLAB_REPORTS" -name '*.tmp-*')
[ -z "$left" ] || { echo "--- left over after an error: $left"; failed=1; }
"$BATCHLAB" run quadratic --preset tiny --progress none >/dev/null 2>&1
same_report "after the disk has room again"
exit $failed
