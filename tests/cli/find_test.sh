#!/bin/sh
# batchlab find: a pilot's answer is the same bytes the second time, at any -j and after a kill, and trains nothing then;
# --json and --write; its file in the store is looked after.
set -u
. tests/cli/lib.sh
export BATCHLAB_CACHE="${BATCHLAB_CACHE:-$PWD/datasets/cache}" BATCHLAB_DATA=/nowhere
export BATCHLAB_REPORTS="$scratch/reports"
tiny="mnist --preset tiny --synthetic --set data.rows=4000 --set data.eval_rows=256 --set sweep.max_epochs=12
  --set eval.growth=1.1 --set noise.micro_batch=16 --set optimizer.name=adam --progress none"

# Arguments are split into words:
# shellcheck disable=SC2086
export BATCHLAB_RUNS="$scratch/a"
try 0 find $tiny -j 2
cp "$scratch/out" "$scratch/first"
says out "^mnist, preset tiny, on mnist (SYNTHETIC DATA)$"
says out "^pilot  *batch 64 at rate .*, 3 seeds, .* steps (1[0-2] epochs) each$"
says out "^noise scale  *[0-9]"
says out "as a step of Adam sees it"
says out "^targets  *error "
says out "^about [0-9,]* ([0-9,]* to [0-9,]*) steps to 0"
# Of a small budget the rate is the one whose values were low soonest, not the one with the lowest last value of one
# seed, which is 0.001 here: every rate but the finder's has three seeds.
says out "^pilot  *batch 64 at rate 0.01"
"$BATCHLAB" ls mnist | awk '$2 == "mnist" || $1 == "mnist" { if ($4 == 64 && $5 < 1) n[$5]++ } END { for (r in n) print n[r] }' >"$scratch/seeds"
same "$(sort -u "$scratch/seeds")" 3 "seeds of each rate"
[ "$(awk 'length > 80' "$scratch/first" | wc -l)" = 0 ] || fail "a line is too long"
[ -n "$(sums a noise.jsonl.gz)" ] || fail "there are no probes"
before=$(find "$BATCHLAB_RUNS" -type f ! -name index.csv -exec stat -c '%n %i %Y' {} + | sort)
try 0 find $tiny -j 2
cmp -s "$scratch/out" "$scratch/first" || fail "the second call says something else"
same "$(find "$BATCHLAB_RUNS" -type f ! -name index.csv -exec stat -c '%n %i %Y' {} + | sort)" "$before" "files after the second call"
try 0 find $tiny --json
cmp -s "$scratch/out" "$BATCHLAB_RUNS/mnist/find.json" || fail "--json is not what the store keeps"
cp "$scratch/out" "$scratch/find.json"
says out '^{"format":1,"experiment":"mnist","preset":"tiny","metric":"error","optimizer":"adam",$'
says out '"targets":\[{"value":0'

# Runs do not depend on -j, or on being killed on the way.
cp -r "$scratch/a/mnist" "$scratch/times"
for store in b c; do
  mkdir -p "$scratch/$store/mnist"
  cp "$scratch"/times/step_times-*.json "$scratch/$store/mnist/"
done
export BATCHLAB_RUNS="$scratch/b"
try 0 find $tiny -j 1
cmp -s "$scratch/out" "$scratch/first" || fail "-j 1 says something else"
same "$(sums b noise.jsonl.gz)$(sums b log.jsonl.gz)" "$(sums a noise.jsonl.gz)$(sums a log.jsonl.gz)" "runs at -j 1"
export BATCHLAB_RUNS="$scratch/c"
cut_again KILL "3 40 90" find ${tiny% --progress none} -j 2
try 0 find $tiny -j 2
cmp -s "$scratch/out" "$scratch/first" || fail "a killed find says something else"
same "$(sums c log.jsonl.gz)" "$(sums a log.jsonl.gz)" "runs after kills"

# What a sweep trains has other ids or the same bytes; the store stays sound, and damage is seen.
try 0 fsck
printf x >>"$BATCHLAB_RUNS/mnist/find.json"
try 4 fsck
says out "find.json"
try 0 find $tiny
try 0 fsck

cp -r "$scratch/a" "$scratch/d"
export BATCHLAB_RUNS="$scratch/d"
# Another optimizer's forecasts stay beside the newest, each once, and the next call has them, too.
try 0 find $tiny --set optimizer.name=momentum
says_file() { grep -q "$1" "$BATCHLAB_RUNS/mnist/find.json" || fail "find.json lacks $1"; }
says_file '"optimizer":"momentum",$'
says_file '^  {"preset":"tiny","optimizer":"adam","forecasts":\[{"target":0.3'
try 0 find $tiny
says_file '^  {"preset":"tiny","optimizer":"momentum","forecasts":\[{"target":0.3'
same "$(grep -c '"optimizer"' "$BATCHLAB_RUNS/mnist/find.json")" 2 "pilots in find.json"
sed -n '/^ "pilot"/,/^ "forecasts"/p' "$BATCHLAB_RUNS/mnist/find.json" >"$scratch/again"
sed -n '/^ "pilot"/,/^ "forecasts"/p' "$scratch/find.json" | cmp -s - "$scratch/again" || fail "the pilot changed"

# Settings go into the file; comments and other keys stay.
export BATCHLAB_RUNS="$scratch/a"
project mnist
cd "$scratch/project" || exit 1
cfg=experiments/mnist/experiment.cfg
cp $cfg was
try 0 find $tiny --write
says err "^  sweep.targets: \[0.3\] -> \[0"
says err "^  sweep.noise_scale: unset -> [0-9.]*$"
diff was $cfg >changes
same "$(grep -c '^<' changes)" "$(grep -c '^< *\(targets\|batch_sizes\|lr_start\|noise_scale\)' changes)" "lines that changed"
same "$(grep -c '#' $cfg)" "$(grep -c '#' was)" "comments"
try 0 check mnist --preset tiny
try 0 check mnist

# A second --write has nothing to say; a rate that is fixed is taken; what a pilot cannot do is said in words.
mv $cfg "$scratch/linked.cfg"
ln -s "$scratch/linked.cfg" $cfg
try 0 find $tiny --write
says err "^  nothing to change$"
[ -L $cfg ] || fail "--write put a file in the place of a link"
# Four gradients of one example each say nothing of the noise: there is no batch size, and exit 5. Targets and rate are
# there all the same, in --json and for --write.
unsaid="$tiny --set noise.micro_batch=1 --set noise.batches=4"
try 5 find $unsaid
says out "^noise scale  *undetermined on the way to the target$"
says out "^No batch size: on the way to the target the noise scale is undetermined"
! grep -q "^Try batch" "$scratch/out" || fail "a batch size without a noise scale"
try 5 find $unsaid --json
says out '"targets":\[{"value":0.*,"proposal":null,$'
try 5 find $unsaid --write
says err "^  sweep.targets: "
! grep -q "sweep.batch_sizes\|sweep.noise_scale" "$scratch/err" || fail "--write of sizes that are not known"
try 0 check mnist --preset tiny
cd "$OLDPWD" || exit 1
export BATCHLAB_RUNS="$scratch/e"
unset BATCHLAB_DATA
quadratic="quadratic --preset tiny --progress none"

# Probes are made as the settings ask, whatever probes the finished runs have, and the finished runs stay.
try 0 find $quadratic
cp "$scratch/out" "$scratch/plain"
# A step costs the same at any size here, so that a large one is tried. Its rate is beyond what the rule for it can do.
says out "^[1-3] of 3 seeds were there with this size and rate\.$"
says out "^With batch [0-9]* at rate [0-9.]*, [01] of 3 seeds were there within [0-9,]* steps\.$"
! grep -q "along the curvature" "$scratch/out" || fail "there is a curvature without noise.hessian"
try 0 find ${quadratic% --progress none} --progress plain --set noise.hessian=true
says out "along the curvature"
says err "seed [0-9]* in place of [0-9]*: its run has other probes, or none$"
cp "$scratch/out" "$scratch/curved"
before=$(sums e noise.jsonl.gz)
try 0 find $quadratic --set noise.hessian=true
cmp -s "$scratch/out" "$scratch/curved" || fail "the second call with noise.hessian says something else"
try 0 find $quadratic
cmp -s "$scratch/out" "$scratch/plain" || fail "the call without noise.hessian says something else"
same "$(sums e noise.jsonl.gz)" "$before" "probes after the second calls"
try 0 fsck
try 0 find $quadratic --set sweep.lr_min=0.0625 --set sweep.lr_max=0.0625
says out " at rate 0.0625, 3 seeds"
try 2 find $quadratic --set sweep.lr_min=100 --set sweep.lr_start=100 --set sweep.lr_max=1000
says err "^batchlab: every rate diverged, the lowest at 100: lower sweep.lr_min"
try 2 find $quadratic --set eval.growth=10
says err "^batchlab: too few evaluations for a target, [0-9] in the pilot's [0-9]* steps: set eval.growth to 1.1"
try 0 find $quadratic --set eval.growth=1.1
before=$(find "$BATCHLAB_RUNS/quadratic" -name result.json | wc -l)
try 2 find $quadratic --set sweep.max_epochs=0.0001
says err "steps: raise sweep.max_epochs to [0-9.]*$"
try 2 find $quadratic --set sweep.max_steps=1
says err "1 in the pilot's 1 steps: raise sweep.max_steps above 1"
# Each advice leads on: more evaluations, then more steps, then an answer.
quality="quality --preset tiny --synthetic --progress none"
try 2 find $quality
says err "steps: set eval.growth to 1.1$"
try 2 find $quality --set eval.growth=1.1
says err "raise sweep.max_epochs to 1[0-9][0-9], or change"
try 0 find $quality --set eval.growth=1.1 --set sweep.max_epochs=128
same "$(find "$BATCHLAB_RUNS/quadratic" -name result.json | wc -l)" "$before" "runs of a pilot that is too short"

try 2 find
try 2 find mnist --jobs 0
says err "a number from 1 to 256"
exit $failed
