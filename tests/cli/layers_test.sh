#!/bin/sh
# A net as a list of layers, from the file to the runs: every fault with its line before anything is
# trained, the net shown, a sweep over one layer's key, and the run's configuration kept.
set -u
. tests/cli/lib.sh
export BATCHLAB_DATA=/nowhere BATCHLAB_RUNS="$scratch/runs" BATCHLAB_REPORTS="$scratch/reports"
export BATCHLAB_CACHE="${BATCHLAB_CACHE:-$PWD/datasets/cache}"
project
mkdir "$scratch/project/experiments/digits"
cd "$scratch/project" || exit 1
unset BATCHLAB_DATA # no folder with data: the generator
file=experiments/digits/experiment.cfg
cat >"$scratch/good" <<'CFG'
dataset = "mnist";
loss = "cross_entropy";
metric = "error";
model: { kind = "layers"; layers = (
  { type = "conv2d"; filters = 2; kernel = 5; stride = 2; },
  "relu",
  { type = "residual";
    layers = ( { type = "conv2d"; filters = 3; kernel = 3; padding = "same"; } );
    shortcut = ( { type = "pad_channels"; channels = 3; } ); },
  { type = "dense"; units = 10; }
); };
data: { rows = 200; eval_rows = 50; };
eval: { growth = 4.0; };
sweep: { batch_sizes = [50]; targets = [0.01]; max_steps = 4; };
timing: { repeats = 1; seconds = 0.001; };
presets: {
  quick: { };
  other: { model: { layers = ( { type = "dense"; units = 11; } ); }; };
};
CFG
cat >experiments/digits/sweep.lua <<'LUA'
return function(exp)
  exp:run{ title = "filters",
    { batch_size = 50, max_steps = 2, ["model.layers[0].filters"] = 2 },
    { batch_size = 50, max_steps = 2, ["model.layers[0].filters"] = 3 },
  }
end
LUA

# refused 'sed expression' 'begin of the message' [option...]: by check, and by a run before it trains.
refused() {
  sed "$1" "$scratch/good" >"$file"
  want=$2
  shift 2
  for command in check "run --synthetic --progress none"; do
    # shellcheck disable=SC2086
    "$BATCHLAB" $command digits "$@" >"$scratch/out" 2>"$scratch/err"
    status=$?
    [ "$status" = 2 ] && grep -qF -- "$want" "$scratch/err" && continue
    echo "--- $command $*: exit $status, wanted 2 and: $want"
    cat "$scratch/err"
    failed=1
  done
  [ ! -e "$BATCHLAB_RUNS/digits/plan.jsonl" ] || { echo "--- something was run"; failed=1; }
}
refused 's/kernel = 5/kernel = 50/' "$file:5:3: error: model.layers[0] (conv2d): a window of 50 x 50 does not fit what comes in, 28 x 28"
refused 's/units = 10/units = 12/' "$file:10:3: error: model.layers[3] (dense): the list ends in 12 features, but"
refused 's/channels = 3/channels = 4/' "$file:7:3: error: model.layers[2] (residual): its layers give 12 x 12 x 3, its shortcut 12 x 12 x 4, which cannot be added"
refused 's/kernel = 3/kernel = 4/' "$file:8:16: error: model.layers[2].layers[0] (conv2d): padding \"same\" takes an odd kernel"
refused 's/channels = 3/channels = 1/' "$file:9:18: error: model.layers[2].shortcut[0] (pad_channels): 2 channels cannot be padded to 1"
refused 's/"relu"/"rellu"/' "$file:6:3: error: there is no layer 'rellu'"
refused 's/units = 10;//' "$file:10:3: error: layer 'dense' lacks 'units'"
refused 's/kind = "layers"; //' "$file:4:10: error: 'layers' is read under kind = \"layers\" alone"
refused '' "$file:18:32: error: model.layers[0] (dense): the list ends in 11 features" --preset other
# What no file says has no line.
refused '' 'batchlab: model.layers[3] (dense): the list ends in 9 features' --set 'layers[3].units=9'
refused '' "batchlab: --set layers[3].unit=9: layer 'dense' has no 'unit'; it has: units; did you mean 'units'?" --set 'layers[3].unit=9'

cp "$scratch/good" "$file"
"$BATCHLAB" check digits >"$scratch/out" 2>&1 || { cat "$scratch/out"; failed=1; }
"$BATCHLAB" show digits --model --json --synthetic >"$scratch/out" 2>"$scratch/err"
grep -q "\"model\":\"layers\",\"parameters\":$((25 * 2 + 2 + 9 * 2 * 3 + 3 + 432 * 10 + 10)),\"flops\":$((2 * (144 * 25 * 2 + 144 * 9 * 2 * 3 + 4320)))," "$scratch/out" ||
  { echo "--- the net is not as counted by hand"; cat "$scratch/out" "$scratch/err"; failed=1; }

"$BATCHLAB" run digits --synthetic --progress none >"$scratch/out" 2>"$scratch/err"
status=$?
[ $status = 0 ] || { echo "--- run: exit $status"; cat "$scratch/err"; failed=1; }
for filters in 2 3; do
  grep -l "\"model.layers\":\[{\"type\":\"conv2d\",\"filters\":$filters,\"kernel\":5,\"stride\":2},\"relu\"," "$BATCHLAB_RUNS"/digits/*/run.json >"$scratch/$filters" ||
    { echo "--- no run of $filters filters"; failed=1; }
done
# Written otherwise, the same runs: nothing is trained again.
sed 's/"relu"/{ type = "relu"; }/; s/filters = 2; kernel = 5;/kernel = 5; bias = true; filters = 2;/' "$scratch/good" >"$file"
find "$BATCHLAB_RUNS" -name result.json -exec sha256sum {} + | sort >"$scratch/before"
"$BATCHLAB" run digits --synthetic --progress none >"$scratch/out" 2>"$scratch/err"
find "$BATCHLAB_RUNS" -name result.json -exec sha256sum {} + | sort | cmp - "$scratch/before" || failed=1
[ "$(wc -l <"$scratch/before")" = 2 ] || { echo "--- not two runs"; failed=1; }
exit $failed
