#!/bin/sh
# A race over six programs that hold memory, of which three fit (external.memory_mib, memory_total_mib): never more than
# three hold theirs at once, the others are parked and go on from their states, and the answer is that of a race in
# which all fit. RACE_MIB=700 holds as much as PyTorch does; the test holds less. Then programs
# that see one GPU each, by names of GPUs that are not there (external.jobs_per_device).
set -u
. tests/cli/lib.sh
trainer_project
mib=${RACE_MIB:-24}
mkdir -p experiments/twin
sampled own twins
cat >experiments/twin/sweep.lua <<'END'
return function(exp)
  local trials = { title = "race", race = true, slack = 4 }
  for k = 1, 6 do
    trials[k] = { batch_size = 8, learning_rate = 2.0 ^ -k, seed = 1, max_steps = 60, target = 0.5 }
  end
  exp:run(trials)
end
END
race() { # race STORE TOTAL: the plan, but for its head
  cat >experiments/twin/experiment.cfg <<END
title = "twins";
external: { command = ["$trainer", "own", ""]; repeats = "exact"; epoch_rows = 65536; memory_mib = $mib; memory_total_mib = $2; };
metric = "expected_loss";
END
  export BATCHLAB_RUNS="$scratch/$1" TRAINER_MIB="$mib" TRAINER_TRACE="$scratch/trace.$1"
  try 0 work twin --progress none
  sed -e 1d -e '$d' "$BATCHLAB_RUNS/twin/plan.jsonl" >"$scratch/plan.$1"
}
most() { awk '$1 == "+" { if (++n > most) most = n } $1 == "-" { n-- } END { print most }' "$scratch/trace.$1"; }
race all $((7 * mib))
same "$(most all)" 6 'programs at once where all fit'
same "$(grep -c + "$scratch/trace.all")" 6 'starts where all fit'
race three $((3 * mib + mib / 2))
same "$(most three)" 3 'programs at once where three fit'
[ "$(grep -c + "$scratch/trace.three")" -gt 6 ] || fail "none was parked"
cmp -s "$scratch/plan.all" "$scratch/plan.three" || fail "another plan where three fit"
same "$(sums three log.jsonl.gz)" "$(sums all log.jsonl.gz)" 'logs where three fit'
# One that alone does not fit has its turn all the same.
race none 1
same "$(most none)" 1 'programs at once where none fits'
cmp -s "$scratch/plan.all" "$scratch/plan.none" || fail "another plan where none fits"
# ---- a device for each (jobs_per_device) ----
cat >device.sh <<'END'
echo "$CUDA_VISIBLE_DEVICES" >>"$DEVICES"
exec "$@"
END
sed -i 's/title = "race", race = true, slack = 4/title = "all"/' experiments/twin/sweep.lua
devices() { # devices VISIBLE JOBS_PER_DEVICE: a round of six runs on these GPUs
  cat >experiments/twin/experiment.cfg <<END
title = "twins";
external: { command = ["sh", "device.sh", "$trainer", "own", ""]; repeats = "exact"; epoch_rows = 65536; jobs_per_device = $2; };
metric = "expected_loss";
END
  rm -rf "$scratch/devices" "$scratch/visible"
  export BATCHLAB_RUNS="$scratch/devices" DEVICES="$scratch/visible" CUDA_VISIBLE_DEVICES="$1"
}
unset TRAINER_MIB TRAINER_TRACE
devices '3,GPU-8a56,5' 1
try 0 work twin --progress none
same "$(LC_ALL=C sort -u "$scratch/visible" | tr '\n' ' ')" '3 5 GPU-8a56 ' 'GPUs that were seen'
same "$(wc -l <"$scratch/visible")" 6 'starts'
devices 7 2
try 0 work twin --progress none
same "$(sort -u "$scratch/visible")" 7 'the GPU that was seen'
devices '' 1
try 69 work twin --progress none
says err 'external.jobs_per_device: there is no GPU here (CUDA_VISIBLE_DEVICES is empty)$'

# ---- the timing pass: it holds no more at once either, and measures every size ----
# One that is ended for another writes no "-": each counts who is there as it starts.
unset CUDA_VISIBLE_DEVICES
cat >count.sh <<'END'
run=$BATCHLAB_RUN
unset BATCHLAB_RUN
grep -lsa "BATCHLAB_RUN=$COUNTED" /proc/[0-9]*/environ >"$COUNTS.$$"
wc -l <"$COUNTS.$$" >>"$COUNTS"
BATCHLAB_RUN=$run exec "$@"
END
cat >experiments/twin/sweep.lua <<'END'
return function(exp)
  exp:run { title = "one", { batch_size = 8, learning_rate = 0.25, seed = 1, max_steps = 9, target = 0.5 } }
end
END
timed() { # timed STORE TOTAL MOST
  cat >experiments/twin/experiment.cfg <<END
title = "twins";
external: { command = ["sh", "count.sh", "$trainer", "own", ""]; repeats = "exact"; epoch_rows = 65536; memory_mib = 10; memory_total_mib = $2; };
metric = "expected_loss";
sweep: { batch_sizes = [2, 4, 8, 16, 32]; targets = [0.5]; };
timing: { repeats = 3; seconds = 0.001; };
END
  export COUNTED="$scratch/$1" COUNTS="$scratch/counts.$1"
  sweep "$1" twin
  same "$(sort -n "$COUNTS" | tail -n 1)" "$3" "programs that wait at once where $2 MiB are there"
  same "$(grep -o '"batch_size":' "$BATCHLAB_RUNS"/twin/timing.json | wc -l)" 5 "sizes with a time where $2 MiB are there"
}
timed wait_all 99 5
timed wait_two 29 2
timed wait_one 5 1
exit $failed
