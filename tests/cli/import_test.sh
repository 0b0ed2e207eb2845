#!/bin/sh
# `batchlab import` (docs/import.md): a sweep's own logs, exported and read back, give the sweep's answer again, from
# TensorBoard's event files and from CSV. Then each form of other people's tables, every command on imported runs, and
# what is refused, in one sentence.
set -u
. tests/cli/lib.sh
project
cd "$scratch/project" || exit 1
export BATCHLAB_REPORTS="$scratch/reports"

sampled own own 'sweep: { batch_sizes = [4, 16, 64, 128]; targets = [0.4, 0.3]; seeds = 2; max_epochs = 1000.0; max_steps = 4000; lr_start = 0.5; lr_max = 4.0; };
timing: { repeats = 1; seconds = 0.001; };'
cat >experiments/own/sweep.lua <<'END'
local sweep = require "sweep"
return function(exp) sweep.critical_batch(exp, {}) end
END
export BATCHLAB_RUNS="$scratch/runs"
try 0 work own --progress none
answer() { # answer NAME: the rates and steps, what is fitted to them, and the critical sizes of both targets
  "$BATCHLAB" export "$1" --steps | tee "$scratch/steps.csv"
  "$BATCHLAB" fit "$scratch/steps.csv" --json
  "$BATCHLAB" recommend "$1" --json | sed 's/.*"targets":/"targets":/; s/"\(processor\|seconds\|run\)[^,]*,//g' | grep -o '"critical":{[^}]*}'
}
answer own >"$scratch/wanted"
[ "$(wc -l <"$scratch/wanted")" -gt 9 ] || fail "the sweep has no answer"

# again NAME DIR options...: imported and run, it gives the same answer to every digit. A float has 24 bits, so no value
# may lie nearer to a target than that; none does.
again() {
  name=$1
  shift
  try 0 import "$@" --name "$name" --targets 0.4,0.3 --epoch-rows 65536
  try 0 work "$name" --progress none
  try 0 recommend "$name"
  says out "^$name, imported runs, until "
  answer "$name" >"$scratch/got"
  cmp -s "$scratch/wanted" "$scratch/got" || { diff "$scratch/wanted" "$scratch/got"; fail "$name: another answer"; }
}
try 0 export own --tfevents -o "$scratch/events"
again events "$scratch/events"
# Hyperparameters in the files stand in for names that say nothing.
mkdir "$scratch/nameless"
n=0
for folder in "$scratch"/events/b*; do n=$((n + 1)) && cp -r "$folder" "$scratch/nameless/n$n"; done
try 0 import "$scratch/events" -n
grep ' batch sizes, ' "$scratch/err" >"$scratch/named"
try 0 import "$scratch/nameless" -n
says err '^parameters: from the hyperparameters of event files$'
grep ' batch sizes, ' "$scratch/err" | cmp - "$scratch/named" || fail "other parameters"
mkdir "$scratch/csv"
"$BATCHLAB" export own >"$scratch/csv/all.csv"
again table "$scratch/csv"

# ---- other people's tables ----
# A chart of Weights & Biases, and its table of runs.
mkdir "$scratch/wandb" "$scratch/mlflow"
cat >"$scratch/wandb/chart.csv" <<'END'
"Step","calm-sun-1 - val/loss","calm-sun-1 - val/loss__MIN","wild-sky-2 - val/loss","wild-sky-2 - val/loss__MIN"
"0","2.5","2.5","2.5","2.5"
"10","1.0","1.0","",""
"20","0.5","0.5","0.75","0.75"
"30","","","NaN","NaN"
END
cat >"$scratch/wandb/runs.csv" <<'END'
"Name","State","batch_size","lr","optimizer"
"calm-sun-1","finished","64","0.01","adam"
"wild-sky-2","crashed","64","1e-1","sgd"
END
try 0 import "$scratch/wandb" -n --runs "$scratch/wandb/runs.csv" --map optimizer=optimizer
says err '^2 runs of 1 batch size, 64, from 1 file$'
says err '^1 run diverged$'
says err '^2 evaluations before step 1 are left out$'
says err '^metric: val/loss; targets:'
[ ! -e experiments/wandb ] || fail "-n wrote something"
try 0 import "$scratch/wandb" --runs "$scratch/wandb/runs.csv" --map optimizer=optimizer --targets 0.6
same "$(ls experiments/wandb/runs | wc -l)" 2 'files of runs'
same "$(cat experiments/wandb/runs/b64-lr0.01-s1-*)" "$(printf 'step,value,loss,seconds\n10,1,,\n20,0.5,,')" 'a run'
same "$(cat experiments/wandb/runs/b64-lr0.1-s1-*)" "$(printf 'step,value,loss,seconds\n20,0.75,,\n30,nan,,')" 'one that diverged'
try 0 work wandb --progress none
try 0 recommend wandb
says out '^   64  *\* 0.01 '

# MLflow: a row for each number, and the search's table of runs. Steps come in any order; a later row counts.
cat >"$scratch/mlflow/history.csv" <<'END'
run_id,key,value,timestamp,step
aa,val_acc,0.5,1,10
aa,lr,0.01,1,10
bb,val_acc,0.25,1,10
aa,val_acc,0.875,3,30
aa,val_acc,0.7,2,20
aa,val_acc,0.75,4,20
bb,val_acc,0.5,2,20
END
printf 'run_id,params.batch_size,params.lr\naa,32,0.01\nbb,128,0.01\n' >"$scratch/mlflow.csv"
try 0 import "$scratch/mlflow" --metric val_acc --higher-is-better --runs "$scratch/mlflow.csv" --targets 0.6,0.5
says err '^1 evaluation stands there twice: the later one counts$'
says err '^metric: 1 - val_acc; targets: 0.6, 0.5$'
same "$(cat experiments/mlflow/runs/b32-lr0.01-s1.csv)" "$(printf 'step,value,loss,seconds\n10,0.5,,\n20,0.25,,\n30,0.125,,')" "MLflow's run"
try 0 work mlflow --progress none

# MLflow's own folders. A run without a name of its own, or with another's, is called by its folder; one that was
# deleted is left out, and so are the files that a run stored.
mlrun() { # mlrun FOLDER NAME SIZE RATE STAGE
  run=$scratch/mlruns/3286/$1
  mkdir -p "$run/metrics/train" "$run/params/data" "$run/artifacts"
  printf 'artifact_uri: file:///x\nlifecycle_stage: %s\nrun_id: %s\nrun_name: %s\nstatus: 3\ntags: []\n' "$5" "$1" "$2" >"$run/meta.yaml"
  printf %s "$3" >"$run/params/batch_size"
  printf %s "$4" >"$run/params/learning_rate"
  printf %s mnist >"$run/params/data/name"
  printf '1796059537000 2.0 0\n1796059538000 0.75 10\n1796059540000 0.5 20 data 12ab\n1796059541000 nan 30\n' >"$run/metrics/val_loss"
  printf '1796059540000 0.25 20\n' >"$run/metrics/train/loss"
  printf 'step,other\n1,2\n' >"$run/artifacts/table.csv"
}
mlrun 88f7 "'big one'" 64 0.1 active
mlrun 62e8 "'big one'" 32 0.1 active
mlrun e47e "''" 16 0.1 active
mlrun ffff gone 8 0.1 deleted
mkdir "$scratch/mlruns/.trash"
printf 'experiment_id: 3286\nname: sizes\n' >"$scratch/mlruns/3286/meta.yaml"
try 0 import "$scratch/mlruns" --map loss=train/loss --map data=data/name --targets 0.6
says err '^3 runs of 3 batch sizes, 16 to 64, from 3 files$'
says err "^values: the metric 'val_loss' of MLflow$"
says err '^runs that were deleted in MLflow are left out$'
says err '^3 runs diverged$'
same "$(cat experiments/mlruns/runs/b64-lr0.1-s1-*)" "$(printf 'step,value,loss,seconds\n10,0.75,,1796059538\n20,0.5,0.25,1796059540\n30,nan,,1796059541')" "MLflow's own run"
grep -q 'settings: { data = "mnist"; };' experiments/mlruns/experiment.cfg || fail "no setting of MLflow's parameters"
try 0 check mlruns
rm -rf "$scratch/mlruns/3286/ffff"
mv "$scratch/mlruns/3286/88f7/metrics/val_loss" "$scratch/mlruns/3286/88f7/metrics/top1"
try 2 import "$scratch/mlruns" --name other
says err "88f7: which metric has the values? --metric NAME names it, of 'top1', 'train/loss'$"
echo 17 >"$scratch/mlruns/3286/88f7/metrics/top1"
try 2 import "$scratch/mlruns" --name other --metric top1
says err 'metrics/top1:1: expected a time, a value and a step$'

# A chart of Weights & Biases with more columns than any table that is trained on, and a history whose own count of
# steps stands beside that of the calls.
mkdir "$scratch/wide"
awk 'BEGIN { ORS = ""; print "\"Step\""; for (i = 1; i <= 1500; i++) print ",\"bs" (i % 2 ? 16 : 64) "-0.1-" i " - _step\",\"bs" (i % 2 ? 16 : 64) "-0.1-" i " - val/loss\",\"bs" (i % 2 ? 16 : 64) "-0.1-" i " - val/loss__MIN\",\"bs" (i % 2 ? 16 : 64) "-0.1-" i " - val/loss__MAX\""
  for (s = 10; s <= 30; s += 10) { print "\n\"" s "\""; for (i = 1; i <= 1500; i++) print ",\"" s "\",\"" 10 / s "\",\"0\",\"9\"" }; print "\n" }' >"$scratch/wide/wandb_export.csv"
try 0 import "$scratch/wide" --pattern 'bs{batch_size}-{lr}-{seed}' -n
says err "^1500 runs of 2 batch sizes, 16 to 64, from 1 file$"
mkdir "$scratch/history"
printf ',_step,_runtime,trainer/global_step,val_loss,bs,lr\n0,7,1.5,100,0.5,8,0.1\n1,9,2.5,200,0.25,8,0.1\n' >"$scratch/history/run.csv"
try 0 import "$scratch/history" --targets 0.3
same "$(cat experiments/history/runs/b8-lr0.1-s1.csv)" "$(printf 'step,value,loss,seconds\n100,0.5,,1.5\n200,0.25,,2.5')" "the steps of a history"

grep -q "the column '_step'" "$scratch/err" && fail "a better column of steps is not taken"
sed 's/trainer.global_step/epoch/' "$scratch/history/run.csv" >"$scratch/history/run2.csv" && rm "$scratch/history/run.csv"
try 0 import "$scratch/history" --name calls --targets 0.3 -n
says err "^steps: the column '_step', which counts calls of wandb.log; --map step=COLUMN names another$"

# Downloads of TensorBoard, a file for each tag: one run, not two seeds of it.
mkdir "$scratch/downloads"
for run in bs16_lr0.1 bs64_lr0.1; do
  printf 'Wall time,Step,Value\n1700000000.5,10,0.75\n1700000002.5,20,0.5\n' >"$scratch/downloads/run-$run-tag-val_loss.csv"
  printf 'Wall time,Step,Value\n1700000000.5,10,0.25\n1700000002.5,20,0.125\n' >"$scratch/downloads/run-$run-tag-train_loss.csv"
done
try 0 import "$scratch/downloads" --pattern 'bs{bs}_lr{lr}' --targets 0.6
says err '^2 runs of 2 batch sizes, 16 to 64, from 4 files$'
says err "^values: the tag 'val_loss' of TensorBoard's downloads$"
says err "^passed over: the tag 'train_loss' of downloads; --metric names a tag$"
same "$(cat experiments/downloads/runs/b16-lr0.1-s1.csv)" "$(printf 'step,value,loss,seconds\n10,0.75,,\n20,0.5,,2')" "a download"
try 0 import "$scratch/downloads" --pattern 'bs{bs}_lr{lr}' --name other --metric train/loss --targets 0.2 -n
says err "^values: the tag 'train_loss' of"
cp "$scratch/downloads/run-bs16_lr0.1-tag-val_loss.csv" "$scratch/downloads/run-bs16_lr0.1-tag-test_loss.csv"
try 2 import "$scratch/downloads" --pattern 'bs{bs}_lr{lr}' --name other
says err "both 'test_loss' and 'val_loss' may be the values: --metric TAG names one$"

# A file for each run, named after it; seeds are counted, times are read, a schedule's rates are its peak.
mkdir -p "$scratch/files/a" "$scratch/files/b"
for run in a/bs16_sgd b/bs16_sgd a/bs64_sgd; do
  printf '%s\n' 'global_step;examples;lr;valid_loss;loss;_runtime' '8;1;0.1;0,9;;0' '8;1;0.1;0.9;1.5;1' '16;1;0.2;0.4;;3' \
    '24;1;0.1;0.2;0.5;5' | grep -v '0,9' >"$scratch/files/$run.csv"
done
try 0 import "$scratch/files" --pattern 'bs{batch_size}_{optimizer}' --targets 0.5,0.25
says err '^parameters: from 3 names such as b/bs16_sgd$'
says err '^the learning rate changes within a run: its largest value counts$'
try 0 run files --progress none
says out '^Fewest steps: batch size'
says out '^   *16  *\* 0.2 .* 6.0 s '
grep -q '"processor":"that of the imported runs"' "$BATCHLAB_RUNS/files/timing.json" || fail "times look like this machine's"

# ---- commands on imported runs ----
run=$(ls "$BATCHLAB_RUNS/events" | grep -x 'r[0-9a-f]\{12\}' | head -1)
try 0 check events
try 0 run events -n
says out '^events, imported runs, which are read and not trained:$'
try 0 plan events
says out '^events, imported runs$'
try 0 ls events
says out '  imported runs$'
try 0 ls events --json
says out '"imported":true'
try 0 recommend events --json
says out '"imported":true'
try 0 recommend events
says out '^The imported runs have no times'
try 0 show "$run"
says out '^imported   trained elsewhere, read by `batchlab import`$'
try 0 why "$run"
says out '^asked in   round 1, "batch '
try 0 why "$(sed -n 's/.*"run":"\(r[0-9a-f]*\)".*"batch_size":128,.*"outcome":"budget".*/\1/p' "$BATCHLAB_RUNS/events/plan.jsonl" | head -1)"
says out ': the run has no more$'
try 0 lock events
try 0 verify events
says out '^events, imported runs, -j 1: [0-9]* runs equal, 0 differ, 0 skipped$'
try 0 run events --force --progress none
try 0 plot events
try 0 report events
grep -q 'imported runs; until' "$BATCHLAB_REPORTS/events/report.html" || fail "report.html does not say that runs are imported"
grep -q 'imported runs' "$BATCHLAB_REPORTS/events/scaling.dat" || fail "the figure's numbers do not say so"
grep -q 'imported runs' "$BATCHLAB_REPORTS/events/sizes.tex" || fail "the table for LaTeX does not say so"
try 0 gc events -n --unplanned
says out '^ *0.00 KiB  would be removed$'
try 0 fsck events
try 0 bundle events -o "$scratch/events.tar.gz"
tar tzf "$scratch/events.tar.gz" | grep -q '^events/experiments/events/runs/b4-' || fail "the bundle lacks the runs"
try 2 check events --twice
says err 'nothing here can train$'
try 2 find events
says err 'nothing here can train$'
try 2 machine events
says err 'nothing here can train$'
try 2 show events --model
says err 'events holds imported runs: batchlab knows no layers of them$'

# A run that is not there, and a file that was changed after it was read.
cp experiments/events/sweep.lua "$scratch/sweep.lua"
echo 'return function(exp) exp:run { title = "one", { batch_size = 4, learning_rate = 0.75, seed = 1, max_steps = 5 } } end' >experiments/events/sweep.lua
try 2 run events --progress none
says err 'none of the imported runs has batch size 4, learning rate 0.75, seed 1 '
cp "$scratch/sweep.lua" experiments/events/sweep.lua
one=$(ls experiments/events/runs/* | head -1)
sed -i '3s/,[0-9.]*,/,9.5,/' "$one"
try 2 verify events
says err 'nothing to verify: none of the '
echo 'x,1,,' >>"$one"
try 2 run events --progress none
says err "$one:[0-9]*: steps are whole numbers that ascend from 1"

# Values that no target can be set on: the sentence speaks of them, as no target was given.
mkdir "$scratch/nan"
printf 'step,bs,lr,val_loss\n1,2,3,nan\n' >"$scratch/nan/a.csv"
try 2 import "$scratch/nan" -n
says err "no run has a finite value of 'val_loss': all of them diverged at once$"
printf 'step,bs,lr,val_loss\n1,2,3,0\n' >"$scratch/nan/a.csv"
try 2 import "$scratch/nan" -n
says err "'val_loss' comes to 0: batchlab needs values above 0"

# ---- Ctrl-C ----
# Ended while it writes, an import leaves nothing; a machine that is faster than the signal gets another try.
mkdir "$scratch/many"
awk -v dir="$scratch/many" 'BEGIN { for (i = 1; i <= 3000; i++) { f = dir "/" i ".csv"; print "step,bs,lr,val_loss\n1,2,3,4" >f; close(f) } }'
cut=0
for try in 1 2 3 4 5 6 7 8; do
  rm -rf experiments/many
  "$BATCHLAB" import "$scratch/many" >"$scratch/out" 2>"$scratch/err" &
  pid=$!
  while kill -0 $pid 2>/dev/null && ! ls experiments | grep -q '^many[.]tmp-'; do :; done
  kill -TERM $pid 2>/dev/null
  wait $pid
  status=$?
  [ $status = 75 ] && cut=1 && break
  [ $status = 0 ] || fail "an import that is ended: status $status"
done
[ $cut = 1 ] || fail "no import was ended by the signal"
same "$(ls experiments | grep many)" "" "what an import that was ended leaves"

# ---- what is refused ----
refuse() { # refuse STATUS WORDS arguments...
  status_wanted=$1 words=$2
  shift 2
  try "$status_wanted" import "$@" --name refused
  says err "$words"
  [ ! -e experiments/refused ] || fail "something was written"
}
refuse 74 'there is no such folder$' "$scratch/nowhere"
mkdir "$scratch/none"
refuse 2 'has no .csv, no event file of TensorBoard and no run of MLflow$' "$scratch/none"
printf 'step,val_loss\n1,2\n' >"$scratch/none/a.csv"
refuse 2 'run a .* has no batch_size: --map batch_size=COLUMN, --pattern or --runs says where it is$' "$scratch/none"
printf 'a,val_loss\n1,2\n' >"$scratch/none/a.csv"
refuse 2 "a.csv has no column of steps: --map step=COLUMN names it, of 'a', 'val_loss'$" "$scratch/none"
printf 'step,bs,lr,thing\n1,2,3,4\n' >"$scratch/none/a.csv"
refuse 2 "which column has the values? --metric COLUMN names it, of 'step', 'bs', 'lr', 'thing'$" "$scratch/none"
printf 'step,bs,lr,val_loss\n1,2,3,4\n2,2,3,much\n' >"$scratch/none/a.csv"
refuse 2 "a.csv:3: value 'much' is no number$" "$scratch/none"
printf 'step,bs,lr,val_loss\n1,2,3,4\n2,8,3,5\n' >"$scratch/none/a.csv"
refuse 2 'has two values of batch_size, 2 and 8' "$scratch/none"
printf 'step,bs,lr,val_loss\n1,2.5,3,4\n' >"$scratch/none/a.csv"
refuse 2 'batch_size 2.5 is no whole number from 1' "$scratch/none"
printf 'step,bs,lr,seed,val_loss\n1,2,3,1,4\n' >"$scratch/none/a.csv"
cp "$scratch/none/a.csv" "$scratch/none/b.csv"
refuse 2 'runs a and b have the same batch size 2, learning rate 3 and seed 1: ' "$scratch/none"
refuse 2 "expected OURS=THEIRS" "$scratch/none" --map batch_size
refuse 2 'expected numbers with commas' "$scratch/none" --map seed= --targets 0.5,
try 0 import "$scratch/none" --map seed= --name counted
try 2 import "$scratch/none" --map seed= --name counted
says err '^batchlab: experiments/counted exists and is left alone; choose another --name$'
printf 'broken' | cat - "$(ls "$scratch"/events/*/events* | head -1)" >"$scratch/none/events.out.tfevents.1"
refuse 2 'not an event file, or damaged: the length at byte 0$' "$scratch/none" --map seed=
exit $failed
