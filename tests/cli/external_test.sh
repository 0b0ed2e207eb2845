#!/bin/sh
# Runs that are programs (docs/external.md). A program that trains batchlab's own runs comes to the
# built-in experiment's plan and words but for ids and times: alone, two at once, over kills, and with
# four workers. A faulty one ends as the page says, and leaves no process behind.
set -u
. tests/cli/lib.sh
trainer_project

# experiment NAME PRESET-OR-FAULT...: one whose runs the trainer answers
asked='sweep: { batch_sizes = [4, 32]; targets = [0.3]; seeds = 2; max_epochs = 1000.0; max_steps = 400; lr_start = 0.0625; lr_max = 4.0; };
timing: { repeats = 1; seconds = 0.001; };'
question="metric = \"expected_loss\";
$asked"
mkdir -p experiments/twin
sampled own twins "$asked"
cat >experiments/own/sweep.lua <<'END'
local sweep = require "sweep"
return function(exp)
  local points = sweep.critical_batch(exp, {})
  sweep.budgets(exp, { from = points, steps = { 100 } })
end
END
cp experiments/own/sweep.lua experiments/twin/
twin() { # twin [FAULT STEP [SETTINGS]]
  cat >experiments/twin/experiment.cfg <<END
title = "twins";
external: { command = ["$trainer", "own", ""${1:+, \"$1\", \"$2\"}];
  repeats = "exact"; epoch_rows = 65536; grace = 0.2; environment = ["BL_CLAIM_BEAT", "NOT_SET"]; silence = ${3:-20.0}; };
$question
END
}
# What must be equal: plan without head, seal and ids; words without times, memory and names.
plan() { sed -e 's/r[0-9a-f]\{12\}/ID/g' -e 1d -e '$d' "$BATCHLAB_RUNS/$1/plan.jsonl"; }
words() { sed -n '/^Fewest/p;/^Best/p;/^100 steps/p;/rule, against/p' "$scratch/out"; }
nobody() { # no process of these runs is left; one that waits for its beat goes within two seconds
  for second in 1 2 3 4 5 6 7 8; do
    left=$(grep -lsa "BATCHLAB_RUN=$scratch" /proc/[0-9]*/environ) # its status tells of processes that went meanwhile
    [ -n "$left" ] || return 0
    sleep 0.3
  done
  fail "left behind after $1: $(for p in $left; do tr '\0' ' ' <"${p%environ}cmdline"; done)"
}

# ---- the same thing ----
twin
export BATCHLAB_REPORTS="$scratch/reports"
sweep one own -j1
plan own >"$scratch/plan"
words >"$scratch/words"
[ -s "$scratch/words" ] || fail "the built-in experiment has no answer"
for jobs in 1 2; do
  sweep "jobs$jobs" twin "-j$jobs"
  plan twin | cmp -s - "$scratch/plan" || fail "another plan at -j$jobs"
  words | cmp -s - "$scratch/words" || fail "other words at -j$jobs"
done
nobody "a whole sweep"
for result in "$scratch"/jobs1/twin/r*/result.json; do
  grep -q '"variables":{"BL_CLAIM_BEAT":"0.1"}' "$result" || fail "$result does not record variables"
done
export BATCHLAB_RUNS="$scratch/cut"
cut_again KILL "2 5 9" run twin -j2
cut_again TERM "4 6" run twin -j1
sweep cut twin -j2
plan twin | cmp -s - "$scratch/plan" || fail "another plan after kills"
same "$(sums cut log.jsonl.gz)" "$(sums jobs1 log.jsonl.gz)" "logs after kills"
nobody "kills"
export BATCHLAB_RUNS="$scratch/workers"
for n in 1 2 3; do
  "$BATCHLAB" work twin -j1 --progress none >"$scratch/worker$n" 2>&1 &
done
sweep workers twin -j1
wait
plan twin | cmp -s - "$scratch/plan" || fail "another plan with four workers"
same "$(sums workers log.jsonl.gz)" "$(sums jobs1 log.jsonl.gz)" "logs of four workers"

# ---- bad days ----
mkdir -p experiments/twin
cat >experiments/twin/sweep.lua <<'END'
return function(exp)
  exp:run { title = "one", { batch_size = 4, learning_rate = 0.5, seed = 1, max_steps = 30 } }
end
END
# bad FAULT STATUS WORDS OUTCOME [SILENCE]: "-" where there are none
bad() {
  twin "$1" 8 "${5:-20.0}"
  export BATCHLAB_RUNS="$scratch/bad.$1"
  try "$2" work twin --progress none
  [ "$3" = - ] || says err "$3"
  [ "$4" = - ] || grep -q "\"outcome\":\"$4\"" "$BATCHLAB_RUNS/twin/plan.jsonl" || fail "$1: outcome is not $4"
  nobody "$1"
}
bad hang 1 'it hangs: no line for 0.3 seconds after step 7' failed 0.3
bad ignore_term 1 'it hangs' failed 0.3
bad fork_twice 1 'it ended with status 3 after step 7' failed
bad tear 1 'it ended with status 9 after step 7' failed
bad garble 1 'report.jsonl:[0-9]*: ' failed
bad repeat 1 'at step 8 after one at step 8: steps ascend' failed
bad go_back 1 'at step 1 after one at step 8' failed
bad skip 1 'at step 1008, but none at step 8, which was due' failed
bad nan 0 - diverged
bad infinite 0 - diverged
bad null 0 - diverged
bad oom_line 1 '^1 run failed; ' memory
bad oom_text 1 '^1 run failed; ' memory
bad exit_early 1 'status 0 at step 7, before step 8' failed
bad end 0 - budget
bad long_line 1 'it hangs: no line for 0.3 seconds' failed 0.3
says err '^Line [0-9]* of report.jsonl has more than 65536 bytes. The rest was passed over.$'
bad wide_lines 0 - budget
bad crash 1 'signal 6 (Aborted) ended it' failed
says err '^    Traceback: the reason$'
says err '^Parameters: {"batch_size":4,"learning_rate":0.5,"seed":1}$'
says err '^    BATCHLAB_RUN=.*/failed .*trainer own'
bad park_itself 1 'as if parked, and nobody asked it' failed
bad fail_once 0 - budget
twin
export BATCHLAB_RUNS="$scratch/whole"
try 0 work twin --progress none
for fault in fail_once wide_lines; do
  same "$(zcat "$scratch/bad.$fault"/twin/r*/log.jsonl.gz | sed -e 1d -e '$d')" "$(zcat "$scratch"/whole/twin/r*/log.jsonl.gz | sed -e 1d -e '$d')" "logs after $fault"
done

# ---- batchlab dies ----
# Parked by SIGTERM, the run goes on from its state. Then SIGKILL ends batchlab: the program leaves by
# itself, and the next turn begins at the same state.
export BATCHLAB_RUNS="$scratch/dies" STARTS="$scratch/starts"
cat >traced <<'END'
[ -e "$BATCHLAB_RUN/state" ] && echo from its state >>"$STARTS" || echo from step 0 >>"$STARTS"
exec "$@"
END
twin dawdle 1
sed -i 's|command = \[|&"sh", "traced", |' experiments/twin/experiment.cfg
evaluations() { find "$BATCHLAB_RUNS" -name report.jsonl -exec cat {} + 2>/dev/null | grep -c '"value"'; }
for signal in TERM KILL; do
  "$BATCHLAB" work twin --progress none >"$scratch/out" 2>"$scratch/err" &
  pid=$!
  for turn in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
    [ "$(evaluations)" -ge 3 ] && break
    sleep 0.1
  done
  kill -$signal $pid
  wait $pid 2>/dev/null
  same "$?" "$([ $signal = TERM ] && echo 75 || echo 137)" "status after SIG$signal"
  nobody "SIG$signal"
done
try 0 work twin --progress none
same "$(cat "$STARTS")" "$(printf 'from step 0\nfrom its state\nfrom its state')" "starts"
same "$(zcat "$scratch"/dies/twin/r*/log.jsonl.gz | sed -e 1d -e '$d')" "$(zcat "$scratch"/whole/twin/r*/log.jsonl.gz | sed -e 1d -e '$d')" "logs after batchlab's death"
exit $failed
