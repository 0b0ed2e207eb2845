#!/bin/sh
# Runs whose program fails (docs/external.md): the outcome is `failed`, the others go on without it,
# every command says so, and the same command tries them again.
set -u
. tests/cli/lib.sh
trainer_project
asked='sweep: { batch_sizes = [4, 32]; targets = [0.3]; seeds = 3; max_epochs = 1000.0; max_steps = 400; lr_start = 0.0625; lr_max = 4.0; };
timing: { repeats = 1; seconds = 0.001; };'
mkdir -p experiments/twin
sampled own own "$asked"
# It fails where the parameters have what the file `broken` says.
cat >fragile <<'END'
if [ -e broken ] && grep -qf broken "$BATCHLAB_RUN/params.json"; then
  echo 'Traceback: a shard is gone' >&2
  exit 3
fi
exec "$@"
END
cat >experiments/twin/experiment.cfg <<END
title = "twins";
external: { command = ["sh", "fragile", "$trainer", "own", ""]; repeats = "exact"; epoch_rows = 65536; grace = 0.5; };
metric = "expected_loss";
$asked
END
cat >experiments/twin/sweep.lua <<'END'
local sweep = require "sweep"
return function(exp) sweep.critical_batch(exp, {}) end
END
export BATCHLAB_REPORTS="$scratch/reports"
fresh() { # fresh NAME: another store
  export BATCHLAB_RUNS="$scratch/$1"
  plan="$BATCHLAB_RUNS/twin/plan.jsonl"
}
fresh whole
try 0 run twin --progress none

# ---- one seed ----
echo '"batch_size":4,.*"seed":2' >broken
for jobs in 1 2; do
  fresh seed$jobs
  try 1 run twin --progress none -j$jobs
  says err '^batchlab: run r[0-9a-f]* failed: it ended with status 3 after step 0$'
  says err '^    Traceback: a shard is gone$'
  says err 'runs* failed; `batchlab run twin` tries '
  says out 'runs* failed and counts* for nothing here; r[0-9a-f]*: it ended with status 3 after step 0'
  says out '^Fewest steps: batch size'
done
grep -q '"seed":2,.*"outcome":"failed","steps":0,.*"error":"it ended with status 3 after step 0"' "$plan" || fail "the plan tells of no failed run"
grep '"batch_size":4' "$plan" | grep '"seed":3' | grep -q '"outcome":"target"' || fail "the other seeds did not go on"
grep '"kind":"best"' "$plan" | grep '"batch_size":4,' | grep -q '"seed":2' && fail "a failed run is a point"
run=$(sed -n 's/.*"run":"\(r[0-9a-f]*\)".*"outcome":"failed".*/\1/p' "$plan" | head -1)
try 0 why "$run"
says out '^state      failed: .*/failed has its files; `batchlab run` tries again$'
says out 'it failed: it ended with status 3 after step 0'
try 0 status twin
says out ' [1-9] failed (the next run tries again)'
try 0 ls twin
says out "^twin  *$run  failed  *4  *[0-9.]*  *2 "
try 0 show "$run"
says out '^state      failed'
try 0 recommend twin
says out 'failed and count'
try 0 fsck twin
grep -rq --include=report.html 'it ended with status 3' "$BATCHLAB_REPORTS" || fail "report.html does not say why"

# ---- again ----
rm broken
try 0 run twin --progress none
cmp -s "$plan" "$scratch/whole/twin/plan.jsonl" || fail "another plan after the failed runs were tried again"
[ -z "$(find "$BATCHLAB_RUNS" -name failed)" ] || fail "what failed is still there"
try 0 status twin
if grep -q failed "$scratch/out"; then fail "status still counts failed runs"; fi

# ---- races, scripts, all of a round ----
cat >experiments/twin/sweep.lua <<'END'
return function(exp)
  local trials = { title = "race", race = true, slack = 1.25 }
  for i = 0, 3 do trials[i + 1] = { batch_size = 32, learning_rate = 2 ^ (i - 3), seed = 1, target = 0.3, max_steps = 400 } end
  for i, result in ipairs(exp:run(trials)) do exp:note(i .. " " .. result.outcome .. " " .. #result.evals) end
  exp:run { title = "next", { batch_size = 4, learning_rate = 0.5, seed = 1, max_steps = 5 } }
end
END
fresh race
try 0 work twin --progress none
fastest=$(sed -n 's/.*"learning_rate":\([0-9.]*\),.*"outcome":"target".*/\1/p' "$plan" | head -1)
echo "\"learning_rate\":$fastest," >broken
fresh lost
try 1 work twin --progress none
says err '^1 run failed; `batchlab run twin` tries it again$'
grep -q '"text":"[1-4] failed 0"' "$plan" || fail "the script does not see a failed run"
grep -q '"outcome":"target"' "$plan" || fail "the race did not go on without its fastest run"
grep -q '"round":2,"title":"next"' "$plan" || fail "no round after the race"
fresh first
try 1 work twin --progress none --fail-fast
says err "^batchlab: run r[0-9a-f]* of round 'race' failed: it ended with status 3"
echo seed >broken
fresh all
try 1 work twin --progress none
says err "^batchlab: the sweep ends here: all runs of round 'race' failed$"
grep -q '"title":"next"' "$plan" && fail "a round after one that failed as a whole"
same "$(grep -c '"outcome":"failed"' "$plan")" 4 "failed runs in the plan"
exit $failed
