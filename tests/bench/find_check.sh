#!/bin/sh
# find_check.sh NAME [arguments of find]: how often the steps of fresh runs lie in the interval that `batchlab find`
# forecasts. PILOTS (8) pilots of other seeds each make a forecast, and SEEDS (6) fresh runs follow each: batches of the
# proposed size at the proposed rate, to the harder target, for at most FACTOR (6) times the forecast. A line for each
# pilot, then the share of all runs. docs/noise.md has what came out. Runs lie in BATCHLAB_RUNS if that is set.
set -eu
home=$PWD
BATCHLAB=${BATCHLAB:-$home/build/release/batchlab}
name=$1
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export BATCHLAB_RUNS="${BATCHLAB_RUNS:-$scratch/runs}" BATCHLAB_REPORTS="$scratch/reports"
export BATCHLAB_DATA="${BATCHLAB_DATA:-$home/datasets}" BATCHLAB_CACHE="${BATCHLAB_CACHE:-$home/datasets/cache}"
mkdir -p "$scratch/experiments" "$scratch/scripts" "$scratch/datasets" "$scratch/reports"
cp datasets/*.cfg "$scratch/datasets/"
cp -r scripts/lua "$scratch/scripts/"
cp -r reports/templates "$scratch/reports/"
cp -r "experiments/$name" "$scratch/experiments/"
cat >"$scratch/experiments/$name/sweep.lua" <<'LUA'
-- Runs of one size and rate with sweep.seeds seeds, to the target.
return function(exp)
  local config, round = exp.config, { title = "fresh" }
  for i = 1, config["sweep.seeds"] do
    round[i] = { batch_size = config["train.batch_size"], learning_rate = config["train.learning_rate"],
      seed = config["train.seed"] + i - 1, target = config["sweep.targets"][1], max_steps = config["sweep.max_steps"] }
  end
  local steps = {}
  for i, result in ipairs(exp:run(round)) do
    steps[i] = result.outcome == "target" and result.target_step or ">" .. config["sweep.max_steps"]
  end
  exp:note("fresh " .. table.concat(steps, " "))
end
LUA
cd "$scratch"

# number KEY: of the proposal.
number() { sed -n 's/.*"proposal":{\([^}]*\)}.*/\1/p' found.json | tr ',' '\n' | sed -n "s/^\"$1\"://p"; }

: >all
k=1
while [ $k -le "${PILOTS:-8}" ]; do
  status=0
  "$BATCHLAB" find "$name" "$@" --set train.seed=${k}000 --progress none --json >found.json 2>err || status=$?
  [ $status = 0 ] || { echo "pilot $k: exit $status, $(tail -n 1 err)"; k=$((k + 1)); continue; }
  target=$(grep '^ "targets"' found.json | sed 's/.*"value":\([^,]*\).*/\1/')
  most=$(number steps | awk -v f="${FACTOR:-6}" '{ printf "%.0f", f * $1 }')
  "$BATCHLAB" run "$name" "$@" --set train.seed=${k}00000 --set sweep.seeds="${SEEDS:-6}" \
    --set "train.batch_size=$(number batch_size)" --set "train.learning_rate=$(number learning_rate)" \
    --set "sweep.targets=[$target]" --set "sweep.max_steps=$most" --progress plain >/dev/null 2>log || status=$?
  echo "$k $target $(number batch_size) $(number steps) $(number steps_low) $(number steps_high) $(sed -n 's/.*fresh //p' log)" |
    tee -a all
  k=$((k + 1))
done
awk -v name="$name" '
  { open += $6 == "null"
    for (i = 7; i <= NF; i++) {
      s = $i; beyond = sub(/^>/, "", s); s += 0; n++
      if (s < $5 && !beyond) early++; else if ($6 != "null" && (s > $6 || beyond)) late++; else held++
    } }
  END { if (n > 0) printf "%s: %d of %d fresh runs within, %d earlier, %d later; %d of %d intervals are open above\n",
    name, held, n, early, late, open, NR }' all
