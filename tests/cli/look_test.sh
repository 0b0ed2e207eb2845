#!/bin/sh
# ls, show, diff and export: what they say about a small sweep, and that they change nothing.
set -u
. tests/cli/lib.sh
export BATCHLAB_DATA=/nowhere BATCHLAB_RUNS="$scratch/runs" BATCHLAB_REPORTS="$scratch/reports"

# An empty store.
try 0 ls
same "$(wc -l <"$scratch/out")" 1 "lines of an empty list"
try 2 ls rossmann
says err "^batchlab: there are no runs of 'rossmann'"
try 2 export rossmann
try 2 show rabc
says err "^batchlab: no run in .* has an id that begins with 'rabc'"

"$BATCHLAB" run rossmann --preset tiny --synthetic --set sweep.max_epochs=1 --progress none >/dev/null 2>"$scratch/err"
[ $? = 0 ] || [ $? = 5 ] || { cat "$scratch/err"; exit 1; }
store=$BATCHLAB_RUNS/rossmann
find "$store" -type f -exec sha256sum {} + | sort >"$scratch/before"
ids=$(ls "$store" | grep -x 'r[0-9a-f]\{12\}')
first=$(echo "$ids" | head -1) second=$(echo "$ids" | sed -n 2p)

try 0 ls rossmann --json
same "$(sed 's/.*"run":"\(r[0-9a-f]*\)".*/\1/' "$scratch/out")" "$ids" "runs listed, in order"
says out '"state":"done","batch_size":[0-9]*,"learning_rate":[0-9.]*,"seed":1,"steps":[0-9]*,"outcome":"[a-z]*","value":0'
try 0 ls
says out 'rossmann (SYNTHETIC DATA)$'
same "$(tail -n +2 "$scratch/out" | awk '{ print $2 }')" "$ids" "runs listed in words"

# Four digits are enough where they name one run; fewer never are.
short=$(echo "$first" | cut -c1-4)
[ "$(echo "$ids" | grep -c "^$short")" = 1 ] && try 0 show "$short" || try 0 show "$first"
says out "^run        $first "
steps=$(sed -n 's/.*"steps":\([0-9]*\),.*/\1/p' "$store/$first/result.json")
says out "^steps      $steps, "
says out "train.batch_size  *[0-9]"
says out '^data .*synthetic:true'
says out '^  impl  *"'
try 2 show abc
says err "^batchlab: 'abc' is not a run: write at least the first 4"
try 2 show "$store/none"
try 2 show
try 2 show "$first" --json
says err "^batchlab: --json goes with --model"
cp -r "$store/$second" "$store/$(echo "$first" | cut -c1-9)0000"
try 2 show "$(echo "$first" | cut -c1-9)"
says err "begins the ids of several runs"
rm -r "$store/$(echo "$first" | cut -c1-9)0000"

try 0 diff "$first" "$first"
says out "^equal$"
try 1 diff "$first" "$second"
says out "^first differing record: step 1$"
says out "^  train\.[a-z_]*  *[0-9.]* | [0-9.]*$"
try 2 diff "$first"
says err "^batchlab: which two runs"

# A prefix is equal as far as it goes; one id with another loss is a mismatch, at its step.
zcat "$store/$first/log.jsonl.gz" | head -7 | gzip -cn >"$scratch/short.gz"
try 0 diff "$first" "$scratch/short.gz"
says out "^equal as far as the shorter one goes"
step=$(zcat "$scratch/short.gz" | sed -n '6s/.*"step":\([0-9]*\).*/\1/p')
zcat "$scratch/short.gz" | sed '6s/"hash":"..../"hash":"f00d/' | gzip -cn >"$scratch/other.gz"
try 3 diff "$first" "$scratch/other.gz"
says out "none differs"
says out "^first differing record: step $step\$"
says out "^  B .* hash f00d"

# A setting in which runs differ is listed; where none differs, none is.
try 0 ls rossmann --json
[ "$(grep -c '"metric":"exp_rmspe","settings":{}}$' "$scratch/out")" = "$(echo "$ids" | wc -l)" ] || fail "settings listed that are equal"
cp "$store/$first/run.json" "$scratch/run.json"
sed -i 's/"optimizer.name":"[a-z]*"/"optimizer.name":"other"/' "$store/$first/run.json"
try 0 ls rossmann
says out "$first .* rossmann (SYNTHETIC DATA)  optimizer.name=[a-z]*$"
try 0 ls rossmann --json
says out '"settings":{"optimizer.name":"[a-z]*"}}$'
cp "$scratch/run.json" "$store/$first/run.json"

# One row per evaluation; the same numbers in both forms.
evals=$(for id in $ids; do zcat "$store/$id/log.jsonl.gz"; done | grep -c '"record":"eval"')
try 0 export rossmann
same "$(tail -n +2 "$scratch/out" | wc -l)" "$evals" "rows exported"
# Every row has all columns, and the metric's name.
awk -F, 'NR == 1 { columns = NF; for (i = 1; i <= NF; i++) if ($i == "value_of") at = i } NR > 1 && (NF != columns || $at != "\"exp_rmspe\"") { bad++ } END { exit bad > 0 || NR < 2 }' \
  "$scratch/out" || fail "columns of the export"
cut -d, -f1,7,9 "$scratch/out" | tail -n +2 >"$scratch/csv"
try 0 export rossmann --jsonl
sed 's/.*"run":"\([^"]*\)".*"step":\([0-9]*\).*"value":\([^,]*\),.*/\1,\2,\3/' "$scratch/out" | sed 's/,null$/,/' >"$scratch/jsonl"
cmp "$scratch/csv" "$scratch/jsonl" || failed=1
value=$(zcat "$store/$first/log.jsonl.gz" | sed -n 's/.*"record":"eval".*"value":\([^,]*\),.*/\1/p' | tail -1)
grep -q "^$first,$steps,$value\$" "$scratch/csv" || { echo "--- the last value of $first is not exported"; failed=1; }
try 2 export rossmann --csv --jsonl
try 2 export rossmann --jsonl -o "$scratch/tf"
# For TensorBoard: a folder for each run, named by what was set, with equal bytes every time; each
# evaluation is a record that holds all three tags. tests/unit/tfevents_test.c knows the bytes.
try 0 export rossmann --tfevents -o "$scratch/tf"
says out "^$scratch/tf: $(echo "$ids" | wc -l) runs (tensorboard --logdir '$scratch/tf')\$"
try 0 export rossmann --tfevents --output="$scratch/tf2"
diff -r "$scratch/tf" "$scratch/tf2" || failed=1
same "$(ls "$scratch/tf" | sed 's/^b[0-9]*-lr[0-9.e-]*-s1-//' | sort)" "$ids" "folders of events"
same "$(cat "$scratch/tf"/*/events.out.tfevents.0.batchlab | grep -ao 'train_loss' | wc -l)" "$evals" "events exported"

find "$store" -type f -exec sha256sum {} + | sort | cmp - "$scratch/before" || { echo "--- looking changed files"; failed=1; }

# Nets by hand: Simple CNN, convolutions of 5 x 5 to 32 and 64 filters, pooled twice, 1024 hidden; what
# is kept of an example: inputs and target, outputs with gradients, and the pools' choices.
model() { try 0 show "$1" --model --json --synthetic --set model.kind="$2" --set model.hidden="$3" --set model.filters="[]"; }
model mnist simple_cnn 1024
parameters=$((25 * 32 + 32 + 25 * 32 * 64 + 64 + 3136 * 1024 + 1024 + 1024 * 10 + 10))
flops=$((2 * (784 * 25 * 32 + 196 * 25 * 32 * 64 + 3136 * 1024 + 1024 * 10)))
bytes=$((4 * (784 + 1 + 2 * 25088 + 3 * 6272 + 2 * 12544 + 3 * 3136 + 2 * 1024 + 2 * 10)))
says out "^{\"experiment\":\"mnist\",\"model\":\"simple_cnn\",\"parameters\":$parameters,\"flops\":$flops,\"bytes\":$bytes,"
# ResNet-8 on 28 x 28 x 1: 28, 14 and 7 positions a side.
model mnist resnet8 1
parameters=$((9 * 16 + 16 + 2 * (144 * 16 + 16) + 144 * 32 + 32 + 288 * 32 + 32 + 16 * 32 + 32 + 288 * 64 + 64 + 576 * 64 + 64 + 32 * 64 + 64 + 650))
flops=$((2 * (784 * 16 * (9 + 2 * 144) + 196 * 32 * (144 + 288 + 16) + 49 * 64 * (288 + 576 + 32) + 640)))
says out "\"parameters\":$parameters,\"flops\":$flops,"
# MobileNetV3-Large with 10 classes and one channel: torchvision's 5,483,032 with 990 classes and two channels less.
model mnist mobilenet_v3_large 1
says out "\"parameters\":$((5483032 - 990 * 1281 - 2 * 9 * 16)),"
# The net for tables: rossmann's embeddings, its batch norms, hidden layers and output.
try 0 show rossmann --model --json --synthetic --set model.hidden=64,32
embedding=$(sed 's/.*"layers":\[{"layer":"embedding","shape":\[1,1,220\],"parameters":\([0-9]*\),.*/\1/' "$scratch/out")
says out "\"parameters\":$((embedding + 2 * 16 + 236 * 64 + 64 + 2 * 64 + 64 * 32 + 32 + 2 * 32 + 33)),"
try 0 show mnist --model --synthetic --set model.kind=simple_cnn --set model.filters="[]" --set model.hidden=1024
says out '^   3  conv2d 5x5  *2  *14 x 14 x 64  *51,264  *20,070,400  *100,352$'
# What is carried out as one: a residual block's end, and the chain of the net for tables.
try 0 show mnist --model --fused --synthetic --set model.kind=resnet8 --set model.norm=none --set model.filters="[]"
says out '^   5  conv2d  *does add 6, does relu 7, backward of relu 4$'
says out '^   6  add  *forward by 5$'
try 0 show rossmann --model --fused --json --synthetic --set model.dropout=0.1
says out '"layer":"relu",[^}]*"fused":{"forward_by":[0-9]*,"backward_by":[0-9]*}'
says out '"layer":"batch_norm",[^}]*"fused":{"dropout":[0-9]*,"gate":[0-9]*}'
try 2 show rossmann --fused
try 2 show quadratic --model
says err "^batchlab: model quadratic is no net of layers"
try 2 show ross --model

# A damaged run does not hide the others.
printf 'x' >"$store/$first/log.jsonl.gz"
try 0 ls rossmann
says out "$first  damaged"
same "$(wc -l <"$scratch/out")" "$(($(echo "$ids" | wc -l) + 1))" "lines with a damaged run"
exit $failed
