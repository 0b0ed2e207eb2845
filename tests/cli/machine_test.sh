#!/bin/sh
# batchlab machine: sizes that really run under a limit, in words and as JSON, its figures, and what it says where
# nothing fits. Data of a definition's own: nothing is read.
case $BATCHLAB in */asan/*) echo "the address sanitizer reserves more addresses than any limit leaves"; exit 77 ;; esac
set -u
. tests/cli/lib.sh
project
cd "$scratch/project" || exit 1
export BATCHLAB_RUNS="$scratch/runs" BATCHLAB_REPORTS="$scratch/reports"
mkdir -p experiments/small
cat >datasets/points.cfg <<'END'
title = "2,000 random points with random labels";
origin = "defined here: the engine draws it";
random_labels = { seed = 1; rows = 2000; inputs = 10; classes = 2; };
END
cat >experiments/small/experiment.cfg <<'END'
title = "small";
dataset = "points";
model: { kind = "mlp"; hidden = [16]; };
loss = "cross_entropy";
metric = "cross_entropy";
optimizer: { name = "sgd"; };
sweep: { batch_sizes = [16, 64, 256]; targets = [0.5]; seeds = 1; };
timing: { repeats = 7; seconds = 0.002; };
END
cat >experiments/small/sweep.lua <<'END'
local sweep = require "sweep"
return function(exp) sweep.critical_batch(exp) end
END

# Whole: throughput, phases, memory up to every row.
try 0 machine small --progress none
says out '^throughput   t(B) = '
says_somewhere out '(3 sizes, worst deviation'
says out '^where it goes at 256: forward [0-9]* %, backward [0-9]* %, optimizer [0-9]* %, gather [0-9]* %$'
says_somewhere out 'a whole step takes [0-9.]* [mun]s, the same batch again [0-9.]* [mun]s, gathering alone [0-9.]* [mun]s:'
says_somewhere out ': fresh data cost [0-9]* %'
says out '^              dearest layers at 256: [0-9]* [a-z]'
says_somewhere out 'inference t(B) = .*(3 sizes'
# A net this small evaluates in more memory than any batch takes: no line of "+ 0.00 KiB x B".
says out '^memory       M(B) = [0-9.]* MiB at every size$'
says out '^             (4 sizes, evaluation included, worst deviation 0.[0-9] %)$'
says out '^             largest that ran: 2,000, with [0-9.]* MiB$'
says out 'that is every training row at once: no limit is in sight$'
says out '^             the formula parameters x 4 bytes x batch would say [0-9,]*$'
says out 'in pieces of\|Figures: '
grep -v '^Figures' "$scratch/out" | awk 'length > 80' | grep -q . && fail "a line of more than 80 columns"
for figure in throughput step_time memory; do
  [ -s "$scratch/reports/small/machine/$figure.dat" ] || fail "no $figure.dat"
  if command -v gnuplot >/dev/null; then
    [ -s "$scratch/reports/small/machine/$figure.png" ] || fail "no $figure.png"
  fi
done

# As data, under a limit that only some sizes pass. The margin is part of it.
try 0 machine small --progress none --json --set 'sweep.batch_sizes=[16,64]' --memory 2G --margin 10
says out '^{"experiment":"small","preset":"","times":{"fixed_seconds":'
says out '"limit":2147483650,"kept_free":214748365,"limit_source":"as asked","largest":2000,'

# The formula beside it counts the parameters that `show --model` counts.
formula=$(sed -n 's/.*"largest_by_formula":\([0-9]*\).*/\1/p' "$scratch/out")
try 0 show small --model --json
parameters=$(sed -n 's/.*"model":"mlp","parameters":\([0-9]*\).*/\1/p' "$scratch/out")
same "$formula" $((2147483648 / (4 * parameters))) "the formula's batch size"

# Nothing fits; nothing asked for fits; a wrong word.
try 2 machine small --progress none --memory 1M
says err '^batchlab: the memory limit leaves 973 KiB (as asked, 5 % kept free), but one example needs more: .* for the run and .* for program and data$'
try 2 machine small --memory lots
says err '^batchlab: --memory lots: expected a size such as 8G or 512M$'
for size in 0 -5 1e30x nan inf '' 5Q; do
  try 2 machine small --memory "$size"
  says err "^batchlab: --memory $size: expected a size such as 8G or 512M\$"
done
try 2 machine small --progress none --memory 1e30
says err '^batchlab: a memory limit of [0-9,]* GiB: this machine has [0-9.]* [GM]iB$'
try 2 machine small --progress none --memory 1e99G
says err '^batchlab: a memory limit of 1e+99 GiB: this machine has [0-9.]* [GM]iB$'
try 2 machine small --progress none --set 'sweep.batch_sizes=[16,2001]'
says err '^batchlab: batch size 2001 is larger than the data set (2000 training rows)$'
try 2 machine small --margin 95
says err 'expected a percentage from 0 to 90'
try 2 machine small --seconds soon
says err 'expected a number from 0 to 86400'
try 2 machine
try 2 machine small --progress none --set 'model.hidden=[16384]' --set 'sweep.batch_sizes=[1500]' --memory 150M
says err 'no batch size is left to measure: 1500, the smallest of sweep.batch_sizes, was refused the memory (142 MiB may be taken, as asked)$'

# The largest under a limit, between one that ran and one that was refused.
try 0 machine small --progress none --set 'model.hidden=[16384]' --set 'sweep.batch_sizes=[16,64]' --memory 150M
says out 'largest that ran: [0-9,]*, with 1[0-9][0-9] MiB$'
says out 'of 150 MiB (as asked), 7.50 MiB of it kept free$'
says out 'not tried; .* was refused the memory$'
largest=$(sed -n 's/.*"largest":\([0-9]*\),.*/\1/p' "$scratch/runs/small/machine.json")
[ "$largest" -ge 64 ] && [ "$largest" -lt 1500 ] || fail "largest: $largest"

# Out of memory is a result: where a control group can be made, the system ends the probe and no other process.
group=
for folder in /sys/fs/cgroup/memory /sys/fs/cgroup; do
  [ -z "$group" ] && mkdir "$folder/batchlab-test-$$" 2>/dev/null && group=$folder/batchlab-test-$$
  [ -n "$group" ] || continue
  echo 80M >"$group/memory.limit_in_bytes" 2>/dev/null || echo 80M >"$group/memory.max" 2>/dev/null || {
    rmdir "$group"
    group=
  }
done
if [ -n "$group" ]; then
  sh -c 'echo $$ >"$1/cgroup.procs" && exec "$2" machine small --progress none --set "model.hidden=[16384]" \
    --set "sweep.batch_sizes=[16,1500]" --memory 4G' sh "$group" "$BATCHLAB" >"$scratch/out" 2>"$scratch/err"
  same $? 0 "exit in a control group of 80 MiB"
  says_somewhere out 'was ended by the system, out of memory'
  rmdir "$group"
else
  echo "no control group can be made here: one case left out"
fi

# The estimate of a dry run: one preset where one is named, what was measured is kept, and no store is made.
echo 'presets: { tiny: { sweep: { seeds = 1; }; }; quick: { sweep: { seeds = 2; }; }; };' >>experiments/small/experiment.cfg
export BATCHLAB_RUNS="$scratch/none"
try 0 run small -n --preset quick --progress plain
says out '^  quick '
grep -q '^  tiny ' "$scratch/out" && fail "a preset that was not asked for"
says err 'measuring steps of batch size 64$'
grep '^  quick ' "$scratch/out" >"$scratch/first"
try 0 run small -n --preset quick --progress plain
grep -q measuring "$scratch/err" && fail "measured twice"
says out '^Times of 3 batch sizes were measured before.$'
grep '^  quick ' "$scratch/out" | cmp -s - "$scratch/first" || fail "another estimate from the same times"
try 0 run small -n --progress none
says out '^  tiny '
[ -e "$scratch/none" ] && fail "run -n made a store"
for kept in datasets/cache/estimate-*.json; do printf x >>"$kept"; done
try 0 run small -n --preset quick --progress plain
says err 'measuring steps of batch size 16$'
export BATCHLAB_RUNS="$scratch/runs"

# A damaged machine.json is said, and made again.
printf x >>"$scratch/runs/small/machine.json"
try 0 machine small --preset quick --progress none --seconds 0
exit $failed
