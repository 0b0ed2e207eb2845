#!/bin/sh
# The presets of rossmann_one_cycle for fastai 1 and 2, made small, on generated shops: each trains its own schedule
# to its end, and what fastai 1 prints, the mean over batches, is beside the metric of all rows.
set -u
. tests/cli/lib.sh
export BATCHLAB_CACHE="${BATCHLAB_CACHE:-$PWD/datasets/cache}" BATCHLAB_DATA=/nowhere
export BATCHLAB_RUNS="$scratch/runs" BATCHLAB_REPORTS="$scratch/reports"
small='data.rows=640;data.eval_rows=500;model.hidden=8;model.dropout=;sweep.batch_sizes=64;sweep.targets=0.9'

for preset in fastai1 fastai2 paper; do
  IFS=';'
  set -- run rossmann_one_cycle --preset $preset --synthetic --progress none
  for s in $small sweep.seeds=1; do set -- "$@" --set "$s"; done
  unset IFS
  "$BATCHLAB" "$@" >"$scratch/out" 2>"$scratch/err"
  case $? in 0 | 5) ;; *) fail "$preset: exit $?" ;; esac
  # The sweep's note has both numbers where there are two.
  mean=
  [ $preset = paper ] || mean=' (mean over batches 0\.[0-9]*)'
  grep -q "batch 64, seed 1: exp_rmspe 0\.[0-9]*$mean after 50 steps" "$BATCHLAB_RUNS/rossmann_one_cycle/plan.jsonl" ||
    fail "$preset: the note"
done

# 640 rows at batch 64: 50 steps.
"$BATCHLAB" export rossmann_one_cycle >"$scratch/all.csv" || fail "export"
same "$(head -1 "$scratch/all.csv" | cut -d, -f12)" batch_mean "the last column"
same "$(awk -F, 'NR > 1 && $7 == 50' "$scratch/all.csv" | wc -l)" 3 "runs that came to step 50"
same "$(awk -F, 'NR > 1 && $12 == "" && $7 == 50' "$scratch/all.csv" | wc -l)" 1 "runs without a mean over batches"
same "$(awk -F, 'NR > 1 && $12 != "" && ($12 > $9 || $12 < 0.9 * $9)' "$scratch/all.csv" | wc -l)" 0 "means that are none"
# Each run says which settings it is of.
for run in $(awk -F, 'NR > 1 { print $1 }' "$scratch/all.csv" | sort -u); do
  try 0 show "$run"
  case $(grep -c 'eval.batch_mean' "$scratch/out") in
    1) says out 'rate   batch mean' ;;
    *) grep -q 'batch mean' "$scratch/out" && fail "a mean over batches that nobody asked for" ;;
  esac
  grep -E 'schedule.(warmup|final_div)|optimizer.eps' "$scratch/out" | tr -s ' \n' ' ' >>"$scratch/settings"
  echo >>"$scratch/settings"
done
same "$(sort "$scratch/settings" | tr '\n' ';')" " optimizer.eps 1e-05 schedule.final_div_factor 1e+04 schedule.warmup 0.3 ; optimizer.eps 1e-05 schedule.final_div_factor 4000 schedule.warmup 0.25 ; optimizer.eps 1e-08 schedule.final_div_factor 1e+04 schedule.warmup 0.3 ;" "settings of paper, fastai 2 and fastai 1"
exit $failed
