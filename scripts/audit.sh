#!/bin/sh
# audit.sh: forecasts of the critical batch size against what sweeps measured, over all experiments. For each
# experiment whose sweep is in the store it runs `batchlab find`, which trains for a minute or two unless that was
# done before, and draws the report. Where the sweep has a series for an optimizer, that optimizer has a pilot of its
# own. Pilots measure the noise along the curvature, too. All audit.csv together become audit.csv in the folder of
# reports, with a table and, where there is gnuplot, a figure. Each experiment without a row is named, and why.
# BATCHLAB in the environment is a program to use instead of building one.
set -u
[ -n "${BATCHLAB:-}" ] || make --no-print-directory program || exit
program=${BATCHLAB:-build/batchlab} runs=${BATCHLAB_RUNS:-runs} reports=${BATCHLAB_REPORTS:-reports}
scratch=$(mktemp -d) || exit
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$reports" || exit
: >"$scratch/all"
audited=0

# missing NAME WHY...: an experiment without a row.
missing() {
  printf '  %-20s %s\n' "$1" "$2" >>"$scratch/missing"
}

# A pilot on what the sweep trained, generated rows included; its first words where it fails. Exit 5 is one without a
# batch size, whose forecasts count all the same.
pilot() {
  # $synthetic is one option, or none:
  # shellcheck disable=SC2086
  "$program" find "$name" --preset "$preset" $synthetic --set noise.hessian=true --progress none "$@" >/dev/null 2>"$scratch/err"
  case $? in
    0 | 5) ;;
    *) why="its pilot: $(sed -n 's/^batchlab: //;/./{p;q;}' "$scratch/err")" ;;
  esac
}

# The rows of an experiment's report. A sweep without an answer has none.
collect() {
  "$program" report "$name" --preset "$preset" >/dev/null 2>&1
  for file in "$reports/$name/$preset/audit.csv" "$reports/$name/audit.csv"; do
    [ -f "$file" ] || continue
    tail -n +2 "$file" >"$scratch/rows"
    head -n 1 "$file" >"$scratch/head"
    cat "$scratch/rows" >>"$scratch/all"
    [ -s "$scratch/rows" ]
    return
  done
  return 1
}

# Those of the newest sweep of experiment $name, or why there are none.
audit() {
  plan=$runs/$name/plan.jsonl why=
  grep -q 'critical_batch\|sweep.optimizers' "experiments/$name/"*.lua || { missing "$name" "its sweep asks for no critical batch size"; return; }
  [ -f "$plan" ] || { missing "$name" "no sweep in $runs/: batchlab run $name"; return; }
  grep -q '"kind":"critical"' "$plan" || { missing "$name" "its sweep in $runs/ asked for no critical batch size"; return; }
  preset=$(head -n 1 "$plan" | sed -n 's/.*"preset":"\([a-z0-9_]*\)".*/\1/p')
  synthetic=
  if head -n 1 "$plan" | grep -q '"synthetic":true'; then synthetic=--synthetic; fi
  series=$(sed -n 's/.*"kind":"critical".*"series":"\([a-z]*\)".*/\1/p' "$plan" | sort -u)
  echo "$name, preset $preset" >&2
  for optimizer in $series; do
    case $optimizer in sgd | momentum | nesterov | adam | adamw) pilot --set "optimizer.name=$optimizer" ;; esac
  done
  pilot
  if collect; then
    audited=$((audited + 1))
  else
    missing "$name" "${why:-no size of its sweep reached the target, or it has other settings than the file}"
  fi
}

: >"$scratch/missing"
for config in experiments/*/experiment.cfg; do
  name=$(basename "$(dirname "$config")")
  audit
done
if [ ! -s "$scratch/all" ]; then
  echo "audit: no experiment has a sweep with an answer in $runs/; batchlab run NAME makes one" >&2
  cat "$scratch/missing" >&2
  exit 5
fi
{ cat "$scratch/head"; sort -u "$scratch/all"; } >"$scratch/csv"
mv "$scratch/csv" "$reports/audit.csv"

# A row for each experiment, series and target, the factors to the critical batch size side by side.
awk -F, '
  NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
  $at["definition"] != "b_crit" { next }
  {
    row = $1 ($3 != "" ? " " $3 : "") " " $4
    if (!(row in seen)) { order[++rows] = row; seen[row] = 1; size[row] = $at["measured"]; open[row] = sign($at["measured_bound"]) }
    factor[row, $at["forecast"]] = $at["factor"]
    bound[row, $at["forecast"]] = sign($at["factor_bound"])
  }
  function sign(of) { return of < 0 ? "<=" : of > 0 ? ">=" : "" }
  function cell(row, name) { return factor[row, name] != "" ? bound[row, name] sprintf("%.2f", factor[row, name]) : "-" }
  END {
    form = "%-30s %8s %7s %7s %7s %7s %7s\n"
    printf form, "forecast / measured", "measured", "start", "way", "curved", "Adam", "512"
    for (r = 1; r <= rows; r++)
      printf form, order[r], size[order[r]] != "" ? open[order[r]] sprintf("%.0f", size[order[r]]) : "-", cell(order[r], "noise_start"),
        cell(order[r], "noise_way"), cell(order[r], "hessian_way"), cell(order[r], "preconditioned_way"),
        cell(order[r], "article")
  }' "$reports/audit.csv"
echo "$audited experiments; $reports/audit.csv has every definition, with intervals"
if [ -s "$scratch/missing" ]; then
  echo "not in it:"
  cat "$scratch/missing"
fi

command -v gnuplot >/dev/null || exit 0
# One block of lines for each forecast: place, factor, low, high, label.
awk -F, '
  NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
  $at["definition"] != "b_crit" || $at["factor"] == "" { next }
  {
    row = $1 ($3 != "" ? " " $3 : "") " " $4
    if (!(row in place)) { place[row] = ++rows; label[rows] = row }
    low = $at["factor_low"]; high = $at["factor_high"]; f = $at["factor"]
    line[$at["forecast"]] = line[$at["forecast"]] sprintf("%d %s %s %s\n", place[row], f, low != "" ? low : f, high != "" ? high : f)
  }
  END {
    split("noise_start noise_way noise_target hessian_way preconditioned_way article", name, " ")
    for (i = 1; i <= 6; i++) printf "%s\n%s\n\n", "# " name[i], line[name[i]] != "" ? line[name[i]] : "nan nan nan nan\n"
    for (r = 1; r <= rows; r++) print "label", r, label[r] >labels
  }' labels="$scratch/labels" "$reports/audit.csv" >"$reports/audit.dat"
{
  rows=$(wc -l <"$scratch/labels")
  echo "rows = $rows"
  echo "set ytics ($(sed 's/label \([0-9]*\) \(.*\)/"\2" \1/' "$scratch/labels" | paste -sd, -)) noenhanced"
  cat scripts/audit.gp
} >"$reports/audit.gp"
(cd "$reports" && gnuplot audit.gp) && echo "$reports/audit.svg, $reports/audit.png"
