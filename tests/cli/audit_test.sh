#!/bin/sh
# make audit: the forecast of every experiment with a sweep in the store, in its report, one table and one figure.
set -u
. tests/cli/lib.sh
export BATCHLAB BATCHLAB_RUNS="$scratch/runs" BATCHLAB_REPORTS="$scratch/reports"
export BATCHLAB_CACHE="${BATCHLAB_CACHE:-$PWD/datasets/cache}"

audit() { sh scripts/audit.sh >"$scratch/out" 2>"$scratch/err"; }

audit && fail "an empty store is audited"
says err "no experiment has a sweep with an answer"

sweep runs quadratic --preset tiny
# Plans of other experiments: one asks for no critical batch size, the other's preset is gone.
mkdir "$scratch/runs/batch_size_finder" "$scratch/runs/simplenn"
echo '{"preset":"tiny"}' >"$scratch/runs/batch_size_finder/plan.jsonl"
printf '{"preset":"gone"}\n{"kind":"critical"}\n' >"$scratch/runs/simplenn/plan.jsonl"
"$BATCHLAB" report quadratic >/dev/null 2>&1
same "$(cat "$scratch/reports/quadratic/tiny/audit.csv" | wc -l)" 1 "rows of a report without a forecast"
grep -q ">Forecasts</h2>" "$scratch/reports/quadratic/tiny/report.html" && fail "a table of no forecasts"
audit || fail "audit ends with $?"
says out "^1 experiments; $scratch/reports/audit.csv"
says out "^quadratic [0-9.]*  *[0-9]"
says out "^not in it:$"
says out "^  mnist  *no sweep in $scratch/runs/: batchlab run mnist$"
says out "^  batch_size_finder  *its sweep in $scratch/runs/ asked for no critical batch size$"
says out "^  ghost_norm  *its sweep asks for no critical batch size$"
says out "^  simplenn  *its pilot: .*gone"
[ "$(grep -c '^  ' "$scratch/out")" = "$(ls -d experiments/*/ | wc -l)" ] && fail "an experiment with a row is missing"
csv=$scratch/reports/audit.csv
same "$(head -1 "$csv" | cut -d, -f1-7)" "experiment,preset,series,target,forecast,value,low" "the head"
[ "$(grep -c '^quadratic,tiny,,[0-9.]*,hessian_way,[0-9.]*,.*,b_crit,' "$csv")" -gt 0 ] || fail "no curvature in $csv"
[ "$(grep -c '^quadratic,tiny,,[0-9.]*,noise_way,[0-9.]*,.*,b_crit,' "$csv")" -gt 0 ] || fail "no forecast in $csv"
grep -q ">Forecasts</h2>" "$scratch/reports/quadratic/tiny/report.html" || fail "report.html has no forecasts"
if command -v gnuplot >/dev/null; then
  for ending in svg png; do [ -s "$scratch/reports/audit.$ending" ] || fail "there is no audit.$ending"; done
fi
cp "$csv" "$scratch/first"
audit
cmp -s "$csv" "$scratch/first" || fail "the second audit says something else"

# A changed forecast is no forecast.
printf x >>"$BATCHLAB_RUNS/quadratic/find.json"
try 4 report quadratic
says err "find.json: its seal does not hold"
exit $failed
