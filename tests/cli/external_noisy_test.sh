#!/bin/sh
# A program whose values differ between two trainings, and says so (docs/external.md): `verify` and `diff`
# name what differs and call it no damage, `fsck` finds none.
set -u
. tests/cli/lib.sh
project
cd "$scratch/project" || exit 1
mkdir -p experiments/dice
cat >dice <<'END'
seed=$(od -An -N3 -tu4 /dev/urandom)
awk -v seed="$seed" 'BEGIN { srand(seed); for (i = 1; i <= 40; i++) printf "step %d loss %.9f\n", i, 1 / i + rand() / 1000 }'
END
cat >experiments/dice/experiment.cfg <<'END'
title = "dice";
external: { command = ["sh", "dice"]; inputs = ["dice"]; scrape = "step {step} loss {value}"; epoch_rows = 1000; grace = 0.5; };
metric = "loss";
sweep: { batch_sizes = [4]; targets = [0.1]; };
END
steps() { # steps N: the sweep of two seeds up to step N
  echo "return function(exp) exp:run { title = 'two', { batch_size = 4, learning_rate = 0.5, seed = 1, max_steps = $1 },
    { batch_size = 4, learning_rate = 0.5, seed = 2, max_steps = $1 } } end" >experiments/dice/sweep.lua
}
export BATCHLAB_RUNS="$scratch/runs"
steps 10
try 2 verify dice
says err 'nothing to verify: no run of dice is published'
try 0 work dice --progress none
try 0 gc dice
first=$(ls "$scratch/runs/dice" | grep -x 'r[0-9a-f]\{12\}' | sort)
steps 20
try 0 work dice --progress none # the state is gone: two repeats
same "$(ls "$scratch/runs/dice" | grep -cx 'r[0-9a-f]\{12\}')" 4 "runs and their repeats"
found=0
for a in $first; do
  for b in $(ls "$scratch/runs/dice" | grep -x 'r[0-9a-f]\{12\}'); do
    "$BATCHLAB" diff "$a" "$b" >"$scratch/out" 2>"$scratch/err"
    [ $? = 1 ] && grep -q '^  repeat  *- | 1$' "$scratch/out" && ! grep -q 'train.seed' "$scratch/out" || continue
    found=$((found + 1))
    says out '^first differing record: step 1$'
    says out '^the experiment declares noise (external.repeats = "noisy"): each repeat has values of its own$'
  done
done
same $found 2 "pairs of repeats"
try 0 verify dice
says out '^run r[0-9a-f]*: first differing record: step 1, published value [0-9.]*, here value [0-9.]*$'
says out '^dice, .*: 2 runs trained again, 0 equal, 2 differ$'
says out '^The experiment declares noise (external.repeats = "noisy"): other values are no damage.$'
try 0 verify dice --sample 1
says out ': 1 run trained again, 0 equal, 1 differ$'
try 0 fsck dice
# Two logs of one run.
BATCHLAB_RUNS="$scratch/other" try 0 work dice --progress none
one=$(echo "$first" | head -1)
try 3 diff "$scratch/runs/dice/$one" "$scratch/other/dice/$one"
says out '^a program trained them: damage only where its experiment says external.repeats = "exact"$'
exit $failed
