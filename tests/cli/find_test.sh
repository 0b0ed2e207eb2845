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
says_file '^  {"preset":"tiny","optimizer":"adam","trains":"[0-9a-f]*","forecasts":\[{"target":0.3'
try 0 find $tiny
says_file '^  {"preset":"tiny","optimizer":"momentum","trains":"[0-9a-f]*","forecasts":\[{"target":0.3'
same "$(grep -c '"optimizer"' "$BATCHLAB_RUNS/mnist/find.json")" 2 "pilots in find.json"
sed -n '/^ "pilot"/,/^ "forecasts"/p' "$BATCHLAB_RUNS/mnist/find.json" >"$scratch/again"
sed -n '/^ "pilot"/,/^ "forecasts"/p' "$scratch/find.json" | cmp -s - "$scratch/again" || fail "the pilot changed"

# Targets of generated rows are not written into a file for real ones, and those of another model not into the file of
# this one; both are said before anything is trained.
export BATCHLAB_RUNS="$scratch/a"
project mnist
cp -r experiments/quadratic "$scratch/project/experiments/"
cd "$scratch/project" || exit 1
before=$(sums a log.jsonl.gz)
cp experiments/mnist/experiment.cfg was
try 2 find mnist --preset tiny --synthetic --progress none --set data.rows=1000 --write
says err "find --write: the targets would be those of --set data.rows, and experiment.cfg has another value"
try 2 find mnist --preset tiny --synthetic --progress none --write
says err "find --write: the data are generated"
cmp -s was experiments/mnist/experiment.cfg || fail "a refused --write changed the file"
same "$(sums a log.jsonl.gz)" "$before" "runs of a refused --write"
# Four gradients of one example each say nothing of the noise: there is no batch size, and exit 5. Targets and rate are
# there all the same in --json, and --write leaves the file.
unsaid="$tiny --set noise.micro_batch=1 --set noise.batches=4"
try 5 find $unsaid
says out "^noise scale  *undetermined on the way to the target$"
says out "^No batch size: on the way to the target the noise scale is undetermined"
! grep -q "^Try batch" "$scratch/out" || fail "a batch size without a noise scale"
try 5 find $unsaid --json
says out '"targets":\[{"value":0.*,"proposal":null,$'

unset BATCHLAB_DATA
# Settings go into the file; comments and other keys stay.
quadratic="quadratic --preset tiny --progress none"
cfg=experiments/quadratic/experiment.cfg
cp $cfg was
try 5 find $quadratic --set noise.micro_batch=1 --set noise.batches=4 --set sweep.baseline=1e-9 --write
says err "^nothing is written: there is no answer$"
cmp -s was $cfg || fail "--write without an answer changed the file"
chmod 640 $cfg
try 0 find $quadratic --set noise.micro_batch=16 --set train.batch_size=64 --set noise.share=0.1 --write
! grep -q "train.batch_size has no effect" "$scratch/err" || fail "the size of the pilot has an effect"
same "$(stat -c %a $cfg)" 640 "the mode of a file that --write changed"
says err "^  sweep.targets: .* -> \[0"
says err "^  sweep.noise_scale: unset -> [0-9.]*$"
says err "^  found with --set noise.micro_batch=16, which is not written$"
diff was $cfg >changes
same "$(grep -c '^<' changes)" "$(grep -c '^< *\(sweep:\|targets\|batch_sizes\|lr_start\|noise_scale\)' changes)" "lines that changed"
same "$(grep -c '#' $cfg)" "$(grep -c '#' was)" "comments"
try 0 check quadratic --preset tiny
try 0 check quadratic

# A second --write has nothing to say; a link stays one.
mv $cfg "$scratch/linked.cfg"
ln -s "$scratch/linked.cfg" $cfg
try 0 find $quadratic --set noise.micro_batch=16 --write
says err "^  nothing to change$"
[ -L $cfg ] || fail "--write put a file in the place of a link"
cd "$OLDPWD" || exit 1
export BATCHLAB_RUNS="$scratch/e"
quadratic="quadratic --preset tiny --progress none"

# Probes are made as the settings ask, whatever probes the finished runs have, and the finished runs stay.
try 0 find $quadratic
cp "$scratch/out" "$scratch/plain"
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
! grep -q "found by" "$scratch/err" || fail "a place in the program's own script"
try 0 find $quadratic --set eval.growth=1.1
before=$(find "$BATCHLAB_RUNS/quadratic" -name result.json | wc -l)
try 2 find $quadratic --set sweep.max_epochs=0.0001
says err "steps: set sweep.max_epochs to [0-9.]*$"
try 2 find $quadratic --set sweep.max_steps=1
says err "1 in the pilot's 1 steps: set sweep.max_steps to 1000$"
same "$(find "$BATCHLAB_RUNS/quadratic" -name result.json | wc -l)" "$before" "runs of a pilot that is too short"
# One piece of advice has all that helps, and is followed by an answer.
quality="quality --preset tiny --synthetic --progress none"
try 2 find $quality
says err "steps: set eval.growth to 1.1 and sweep.max_epochs to 128$"
nothing="$quadratic --set sweep.lr_min=1e-9 --set sweep.lr_start=1e-9 --set sweep.lr_max=1e-9"
try 5 find $nothing
says out "^No targets: the pilot learnt too little in [0-9]* steps to propose a target:"
try 5 find $nothing --json
says out '"why":"the pilot learnt too little.*"targets":\[\],'
try 0 find $quality --set eval.growth=1.1 --set sweep.max_epochs=128

try 2 find
try 2 find mnist --jobs 0
says err "a number from 1 to 256"
exit $failed
