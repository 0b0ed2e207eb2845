#!/bin/sh
# batchlab init --command: a program is started once, and becomes an experiment that `check` accepts; what it
# does not do is said in words for its author. The programs are shell scripts of each level.
set -u
. tests/cli/lib.sh
project
cd "$scratch/project" || exit 1
export TMPDIR="$scratch/tmp"
mkdir "$TMPDIR"

# By Protocol 1: a line for the parameters, all evaluations, a mark, and at a park a state.
cat >full.sh <<'END'
read -r goal <"$BATCHLAB_RUN/goal.json"
evals=${goal#*[[]} evals=${evals%%]*}
report=$BATCHLAB_RUN/report.jsonl
[ "$1" = mute ] || echo '{"args": {"batch_size": 32, "learning_rate": 0.25, "seed": 7, "decay": 0.5, "path": null}}' >>"$report"
echo '{"start":0,"waits":'$2',"saves":true}' >>"$report"
for step in $(echo "$evals" | tr , ' '); do echo "{\"step\":$step,\"value\":$((100 + 5000 / step)),\"train_s\":$step}"; done >>"$report"
[ "$2" = true ] || exit 0
echo '{"mark":500,"train_s":500}' >>"$report"
until grep -q '"park":true' "$BATCHLAB_RUN/goal.json"; do sleep 0.02; done
[ "$3" = saves ] && echo x >"$BATCHLAB_RUN/state" && echo '{"saving":500}
{"saved":500}' >>"$report"
exit 75
END
# By its output alone; options as argparse has them.
cat >plain.sh <<'END'
for step in 10 20 30 40; do echo "epoch 1 step $step/40: loss=0.5 val_loss=$((200 - step)).25 ($1)"; done
END

level() { # level NUMBER ARGUMENTS...
  rung=$1
  shift
  rm -rf experiments/full
  try 0 init --command "sh full.sh $*" --rows 5000
  says err "^level $rung of 3: "
  says err '^parameters: batch_size = 32, learning_rate = 0.25, seed = 7, decay$'
  says err '^steps seen: 500, evaluations: 7[0-9]'
  says out '^experiments/full/experiment.cfg$'
}
level 1 said false -
level 2 said true -
says err '^steps seen: 500, evaluations: 7[0-9], 1.00 s a step$'
level 3 said true saves
grep -q 'batch_sizes = .8, 16, 32, 64, 128, 256.;' experiments/full/experiment.cfg || fail "other sizes than its own suggests"
grep -q '    decay = 0.5;' experiments/full/experiment.cfg || fail "no settings"
grep -q 'inputs = ."full.sh".;' experiments/full/experiment.cfg || fail "no inputs"
try 0 check full
says out '^full: fine. 6 batch sizes'

try 0 init --command 'sh plain.sh --batch-size 8 --lr=0.5' --rows 100
says err '^level 0 of 3: '
says err '^metric: val_loss, 190.2 at first and 160.2 at best (step 40)'
says err 'It takes no seed'
grep -q 'command = ."sh", "plain.sh", "--batch-size", "{batch_size}", "--lr={learning_rate}".;' experiments/plain/experiment.cfg ||
  fail "options are not replaced"
grep -q 'scrape = "step {step}/{any}: loss={loss} val_loss={value}";' experiments/plain/experiment.cfg || fail "another pattern"
try 0 check plain
try 0 init --command 'sh plain.sh {batch_size} {learning_rate}' --name other --metric loss
says err '^metric: loss, '
says err "^warning: 'loss' never fell"
says err '^epoch_rows = 10000 is a guess'
# A line break would end the comment that shows the line.
try 2 init --command 'true
exec sh plain.sh {batch_size} {learning_rate}' --name broken --metric loss
says err '^batchlab: --command is one line of plain text: && or ; stands between two commands$'

# ---- by hand ----
# What check --twice says of a program that fails: the line that it ends with does the same by hand.
try 1 check full --twice --set external.command='"sh", "-c", "cat $BATCHLAB_RUN/params.json; exit 4"'
says err '^Parameters: .*"batch_size":8'
"$BATCHLAB" check full --twice --set external.command='"sh", "-c", "cat $BATCHLAB_RUN/params.json; exit 4"' 2>&1 >/dev/null |
  sed -n '$p' >by_hand.sh
sh by_hand.sh >"$scratch/out" 2>"$scratch/err"
same "$?" 4 "the status of the line that starts it by hand"
says out '"batch_size":8'
rm -rf "$TMPDIR"/batchlab-twice-*

# ---- what is wrong, in words ----
try 2 init --command 'sh plain.sh --batch-size 8 --lr=0.5'
says err 'experiments/plain/experiment.cfg exists and is left alone'
try 2 init --command 'sh plain.sh --lr=0.5' --name one
says err "takes no 'batch_size' from batchlab"
try 2 init --command 'sh full.sh mute true -' --name one
says err "takes no 'batch_size' from batchlab"
try 1 init --command 'sh -c "echo wrong number; exit 3"' --name one
says err 'the program failed: it ended with status 3'
says err '^    wrong number$'
try 2 init --command 'sh -c "echo epoch 3"' --name one
says err 'it counts epochs, and batchlab needs steps'
try 2 init --command 'nothing_there' --name one
says err "cannot start 'nothing_there'"
try 2 init --command "sh 'x" --name one
says err 'a quote has no end'
try 2 init --command 'sh full.sh said true -' --name one --rows many
says err '^batchlab: --rows is the number of examples'
try 2 init --command 'sh full.sh said true - {width}' --name one
says err '{width} is no parameter of a run'
try 2 init --command true table.csv
says err 'give one of them'
same "$(ls experiments; ls "$TMPDIR")" "$(printf 'full\nother\nplain')" "what is left behind"
exit $failed
