#!/bin/sh
# Do whole sweeps with other base seeds agree? Runs one preset with four base seeds, fixed here, and holds
# the four answers against each other, for every definition of the critical batch size:
#   a homogeneity test is not refused at 1 % (chi squared, 3 degrees of freedom, below 11.345);
#   the intervals contain the pooled estimate, in at least 15 of 16 cases over four definitions;
#   every interval is finite and at most a factor of 2.5 wide; the verdicts say the same.
# The seeds are fixed before anything is run with them. 101 to 801 served to find faults. A sweep takes its seeds from
# the base seed on, some hundreds of them, so base seeds lie further apart than that.
# usage: scripts/base_seeds.sh [EXPERIMENT [PRESET [JOBS]]]     rossmann precise takes some minutes a seed
set -eu
name=${1:-rossmann} preset=${2:-precise} jobs=${3:-2}
seeds="10001 20001 30001 40001"
program=$PWD/build/batchlab
out=$PWD/build/base_seeds/$name-$preset
mkdir -p "$out"
tables='' answers=$out/answers
: >"$answers"
for seed in $seeds; do
  BATCHLAB_RUNS=$out/$seed/runs BATCHLAB_REPORTS=$out/$seed/reports "$program" run "$name" --preset "$preset" \
    -j "$jobs" --set train.seed="$seed" --progress plain >"$out/$seed.log" 2>&1 || { tail -5 "$out/$seed.log"; exit 1; }
  times >"$out/times"
  echo "seed $seed: processor time of all sweeps so far, user and system: $(tail -1 "$out/times")"
  tables="$tables $out/$seed/reports/$name/$preset/critical.csv"
  grep -m1 '^Fit: ' "$out/$seed/reports/$name/$preset/recommendation.txt" | sed "s/^/seed $seed: /" | tee -a "$answers"
  grep -m1 '^Fewest steps: ' "$out/$seed/reports/$name/$preset/recommendation.txt" | sed "s/^/seed $seed: /"
done
# Words of the verdict, without the sizes and the p-value.
verdicts=$(sed 's/^[^:]*: Fit: //; s/ describes\{0,1\} .*//' "$answers" | sort -u | wc -l)
[ "$verdicts" = 1 ] || echo "the verdicts differ"
# The last target of each table is the main one.
# shellcheck disable=SC2086
awk -F, -v bad=$((verdicts != 1)) '
  FNR == 1 { files++; next }
  { if (!(files in target) || target[files] != $1) { target[files] = $1; for (d in seen) delete value[files, d] }
    seen[$2] = 1; value[files, $2] = $3; low[files, $2] = $4; high[files, $2] = $5; bound[files, $2] = $6 }
  END {
    printf "%-28s %10s %8s %9s %7s\n", "definition", "pooled", "chi2(3)", "contained", "widest"
    for (d in seen) {
      sum = weights = worst = 0; usable = 1
      for (f = 1; f <= files; f++) {
        if (value[f, d] == "" || bound[f, d] != 0 || low[f, d] + 0 <= 0 || high[f, d] == "") { usable = 0; break }
        sd = log(high[f, d] / low[f, d]) / (2 * 1.96); w = 1 / (sd * sd)
        sum += w * log(value[f, d]); weights += w
        if (high[f, d] / low[f, d] > worst) worst = high[f, d] / low[f, d]
      }
      if (!usable) { printf "%-28s %10s\n", d, "open or a bound"; bad = 1; continue }
      mean = sum / weights; chi = inside = 0
      for (f = 1; f <= files; f++) {
        sd = log(high[f, d] / low[f, d]) / (2 * 1.96)
        chi += ((log(value[f, d]) - mean) / sd) ^ 2
        inside += low[f, d] <= exp(mean) && exp(mean) <= high[f, d]
      }
      printf "%-28s %10.4g %8.2f %6d/%d %8.2f\n", d, exp(mean), chi, inside, files, worst
      cases += files; held += inside
      bad = bad || chi > 11.345 || worst > 2.5
    }
    printf "%d of %d intervals contain the pooled estimate\n", held, cases
    exit bad || held * 16 < 15 * cases
  }' $tables
