#!/bin/sh
# store_scale.sh [N...]: how the commands grow with the store. Makes stores of N finished tiny runs by
# training them (the noisy quadratic model, a few steps each) and times status, a sweep that finds
# everything done (with the cache index.csv, and without), ls and fsck: seconds of processor time, then
# seconds by the clock, which on a machine with other work to do are more.
set -eu
[ $# -gt 0 ] || set -- 2000 20000
home=$PWD
BATCHLAB=${BATCHLAB:-$home/build/batchlab}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset BL_FORCE_IMPL BATCHLAB_RUNS BATCHLAB_REPORTS
mkdir -p "$scratch/experiments/many" "$scratch/scripts" "$scratch/reports"
cp -r scripts/lua "$scratch/scripts/"
cp -r reports/templates "$scratch/reports/"
cp -r datasets "$scratch/" 2>/dev/null || true
cd "$scratch"
cat >experiments/many/sweep.lua <<'LUA'
return function(exp)
  local n = exp.config["sweep.max_steps"]
  for first = 1, n, 100 do
    local round = { title = "seeds from " .. first }
    for seed = first, math.min(first + 99, n) do
      round[#round + 1] = { batch_size = 16, learning_rate = 0.01, seed = seed, max_steps = 4 }
    end
    exp:run(round)
  end
end
LUA
cat >experiments/many/experiment.cfg <<'CFG'
dataset = "none";
metric = "expected_loss";
model: { kind = "quadratic"; };
data: { rows = 1000; };
optimizer: { name = "sgd"; };
sweep: { batch_sizes = [16]; targets = [0.0001]; max_steps = 100000; };
timing: { repeats = 1; seconds = 0.01; };
CFG

seconds() { # "processor clock" of a command; with the kernel's part, without waiting
  begin=$(date +%s.%N)
  ( "$@" >"$scratch/out" 2>"$scratch/err" || [ $? = 5 ] || { cat "$scratch/err" >&2; exit 1; }
    times >"$scratch/times" ) || exit 1
  end=$(date +%s.%N)
  tail -1 "$scratch/times" | awk -v clock="$begin $end" '{ split($1, user, "[ms]"); split($2, kernel, "[ms]"); split(clock, at, " ")
    printf "%.2f %.2f", 60 * (user[1] + kernel[1]) + user[2] + kernel[2], at[2] - at[1] }'
}

printf '%8s %14s %12s %12s %14s %12s %12s\n' runs 'make it' status 'run again' 'without index' ls fsck
for n in "$@"; do
  rm -rf runs reports/many
  sweep="run many --set sweep.max_steps=$n --progress none"
  made=$(seconds "$BATCHLAB" $sweep)
  again=$(seconds "$BATCHLAB" $sweep)
  looked=$(seconds "$BATCHLAB" status many)
  again=$(seconds "$BATCHLAB" $sweep)
  listed=$(seconds "$BATCHLAB" ls many)
  checked=$(seconds "$BATCHLAB" fsck many)
  rm -f runs/many/index.csv
  unindexed=$(seconds "$BATCHLAB" $sweep)
  printf '%8d %14s %12s %12s %14s %12s %12s\n' "$n" "$made" "$looked" "$again" "$unindexed" "$listed" "$checked"
done
