#!/bin/sh
# lock and verify: equal logs pass at any -j, other logs are found and their first step named.
set -u
. tests/cli/lib.sh
export BATCHLAB_CACHE="${BATCHLAB_CACHE:-$PWD/datasets/cache}" BATCHLAB_DATA=/nowhere
export BATCHLAB_RUNS="$scratch/runs" BATCHLAB_REPORTS="$scratch/reports"
reproduce=$PWD/scripts/reproduce.sh
project rossmann
cd "$scratch/project" || exit 1
lock=experiments/rossmann/expected.lock
rm -f $lock

# reproduce STATUS EQUAL DIFFER: the CI check, at both thread counts.
reproduce() {
  BATCHLAB=$BATCHLAB sh "$reproduce" $tiny >"$scratch/out" 2>"$scratch/err"
  status=$?
  [ "$status" = "$1" ] || { echo "--- reproduce.sh: exit $status, wanted $1"; cat "$scratch/out" "$scratch/err"; failed=1; }
  for jobs in 1 2; do says out "-j $jobs: $2 runs equal, $3 differ"; done
}
says() { # says FILE words
  grep -q -- "$2" "$scratch/$1" || { echo "--- not said: $2"; cat "$scratch/out" "$scratch/err"; failed=1; }
}

tiny="rossmann --preset tiny --synthetic --set data.rows=6000 --set sweep.max_epochs=1"
try 2 verify $tiny
says err "^batchlab: nothing to verify: $lock has no entries"
try 2 lock $tiny
says err "^batchlab: no run of this plan is done"
try 2 verify rossmann --sample 0
try 2 verify rossmann --sample 2 --all
try 2 verify

answer=0
"$BATCHLAB" run $tiny --progress none >/dev/null 2>"$scratch/err" || answer=$?
[ $answer = 0 ] || [ $answer = 5 ] || { cat "$scratch/err"; exit 1; }
try 0 lock $tiny
runs=$(ls -d "$BATCHLAB_RUNS"/rossmann/*/ | wc -l)
says out "^$lock: $runs entries ($runs added, 0 changed, 0 as before)"
# A finished sweep is locked whole, in order, with the digests of the results.
LC_ALL=C sort -c $lock || failed=1
for result in "$BATCHLAB_RUNS"/rossmann/*/result.json; do
  id=$(basename "$(dirname "$result")")
  sum=$(sed -n 's/.*"log_sha256":"\([0-9a-f]*\)".*/\1/p' "$result")
  grep -q "^$id [0-9]* $sum [0-9]*:" $lock || { echo "--- $id is not locked"; failed=1; }
done
# On the way: the rolling hashes of the evaluations n, n / 2, n / 4, ... of n, at most six.
for result in "$BATCHLAB_RUNS"/rossmann/*/result.json; do
  id=$(basename "$(dirname "$result")")
  want=$(zcat "${result%result.json}log.jsonl.gz" | sed -n 's/.*"record":"step","step":\([0-9]*\),.*"hash":"\([0-9a-f]*\)".*/\1:\2/p' |
    awk '{ at[NR] = $0 } END { for (n = NR; n > 0 && marks < 6; n = int(n / 2)) { out = " " at[n] out; marks++ } print out }')
  grep -q "^$id .*[0-9a-f]$want\$" $lock || { echo "--- $id: not$want"; grep "^$id" $lock; failed=1; }
done
# What other data and presets have there stays; what is there already is not written otherwise.
echo "rffffffffffff 7 $(printf '%064d' 0)" >>$lock
cp $lock "$scratch/lock"
try 0 lock $tiny
says out "0 added, 0 changed, $runs as before"
says out "^1 of the entries are of other presets, data or settings, or of runs that no plan has any more"
cmp $lock "$scratch/lock" || failed=1

# --prune leaves the entries of this plan, and of a plan that is not at its end nothing is dropped.
try 2 lock $tiny --set train.seed=7 --prune
batch=$(sed -n 's/.*"record":"trial".*"batch_size":\([0-9]*\).*/\1/p' "$BATCHLAB_RUNS/rossmann/plan.jsonl" | head -1)
mv "$BATCHLAB_RUNS" "$scratch/kept"
try 0 run $tiny --only "batch_size=$batch" --progress none
try 2 lock $tiny --prune
says err "the sweep is not complete: --prune would drop runs"
rm -rf "$BATCHLAB_RUNS"
mv "$scratch/kept" "$BATCHLAB_RUNS"
try 0 lock $tiny --prune
says out "^dropped rffffffffffff$"
says out "^$lock: $runs entries"
[ "$(grep -c '^dropped' "$scratch/out")" = 1 ] || { echo "--- dropped more"; cat "$scratch/out"; failed=1; }
grep -v rffffffffffff "$scratch/lock" | cmp - $lock || failed=1
cp "$scratch/lock" $lock

reproduce 0 "$runs" 0
try 0 verify $tiny --sample 2
says out ": 2 runs equal, 0 differ, $((runs - 1)) skipped"
# Also where no run has been made: the sweep is done anew.
mv "$scratch/runs" "$scratch/kept"
try 0 verify $tiny -j 2
says out "-j 2: $runs runs equal, 0 differ, 1 skipped"
[ -z "$(ls -A "$scratch/runs")" ] || { echo "--- scratch was left behind"; ls -A "$scratch/runs"; failed=1; }
rm -rf "$scratch/runs"
mv "$scratch/kept" "$scratch/runs"

# run --force trains what is published once more, beside the store, which it leaves as it is.
sums() { (cd "$BATCHLAB_RUNS" && find . -type f ! -name index.csv -exec sha256sum {} + | sort -k2); }
sums >"$scratch/before"
try $answer run $tiny --force --progress none
says out "^rossmann: trained again, $runs published runs equal, 0 differ$"
says out "^Figures and tables"
sums | cmp - "$scratch/before" || { echo "--- --force changed the store"; failed=1; }
[ "$(ls -A "$BATCHLAB_RUNS")" = rossmann ] || { echo "--- scratch was left behind"; failed=1; }

# An expected log that differs from one step on, as another machine might have made it.
run=$(ls -d "$BATCHLAB_RUNS"/rossmann/*/ | head -1)
id=$(basename "$run")
zcat "$run/log.jsonl.gz" >"$scratch/log"
awk -F'"hash":"' '/"record":"step"/ && ++n >= 4 { print $1 "\"hash\":\"" "f00d" substr($2, 5); next } /footer/ { exit } { print }' \
  "$scratch/log" >"$scratch/other"
step=$(grep '"record":"step"' "$scratch/log" | sed -n '4s/.*"step":\([0-9]*\).*/\1/p')
was=$(sed -n '$s/.*"log_sha256":"\([0-9a-f]*\)".*/\1/p' "$scratch/log")
is=$(sha256sum "$scratch/other" | cut -d' ' -f1)
tail -1 "$scratch/log" | sed "s/$was/$is/" >>"$scratch/other"
gz_was=$(sha256sum <"$run/log.jsonl.gz" | cut -d' ' -f1)
gzip -cn "$scratch/other" >"$run/log.jsonl.gz"
gz_is=$(sha256sum <"$run/log.jsonl.gz" | cut -d' ' -f1)
body=$(sed -e '$d' -e "s/$was/$is/" -e "s/$gz_was/$gz_is/" "$run/result.json")
printf '%s,\n "sha256":"%s"}\n' "${body%,}" "$(printf %s "${body%,}" | sha256sum | cut -d' ' -f1)" >"$run/result.json"
try 0 lock $tiny
says out "0 added, 1 changed"
reproduce 3 $((runs - 1)) 1
says out "^run $id differs from expected.lock"
says out "first differing record: step $step, expected hash f00d"
sums >"$scratch/before"
rate=$(sed 's/.*"train.learning_rate":\([^,}]*\).*/\1/' "$run/run.json")
of=$(grep -l "\"train.learning_rate\":$rate[,}]" "$BATCHLAB_RUNS"/rossmann/*/run.json | wc -l)
try 3 run $tiny --force --only "learning_rate=$rate" --progress none
says out "^run $id differs from what is published at or before step"
says out "first differing record: step $step, expected hash f00d"
says out "^rossmann: trained again, $((of - 1)) published runs equal, 1 differ$"
says err "^batchlab: 1 of $of runs have other logs now"
sums | cmp - "$scratch/before" || { echo "--- --force changed the store"; failed=1; }
# The same without a log to compare with: the lock's hashes have the step between two of them.
rm -rf "$run"
mark=$(grep "^$id" $lock | tr ' ' '\n' | grep -m 1 ':f00d')
equal=$(grep "^$id" $lock | tr ' ' '\n' | grep -B 1 -m 1 ':f00d' | sed -n '1s/:.*//p')
try 3 verify $tiny -j 1
says out "first differing loss: after step $equal, at or before step ${mark%:*}, there expected hash ${mark#*:}, here [0-9a-f]*$"
says out "has no log of it with the expected digest"
[ "$equal" -lt "$step" ] && [ "$step" -le "${mark%:*}" ] || { echo "--- step $step is not there"; failed=1; }
# A lock whose hashes are right.
cp $lock "$scratch/lock"
sed -i "/^$id/s/:f00d.*//; /^$id/s/ [0-9]*$//" $lock
try 3 verify $tiny -j 1
says out "no loss differs up to step $equal; other parts of the log do"
cp "$scratch/lock" $lock

sed -i 's/^rffffffffffff 7/rffffffffffff seven/' $lock
try 2 verify $tiny
says err "^$lock:$((runs + 2)): expected a run's id"
exit $failed
