#!/bin/sh
# What a user is told about wrong input: exact words, exact exit status.
set -u
. tests/cli/lib.sh

# expect STATUS 'words' command...: standard error must be exactly these words.
expect() {
  want_status=$1 want=$2
  shift 2
  "$@" >"$scratch/out" 2>"$scratch/err"
  status=$?
  printf '%s\n' "$want" >"$scratch/want"
  [ "$status" = "$want_status" ] && cmp -s "$scratch/want" "$scratch/err" && return
  echo "--- $*: exit $status, wanted $want_status"
  diff "$scratch/want" "$scratch/err"
  failed=1
}

expect 2 "batchlab: unknown command 'rnu': did you mean 'run'?
\`batchlab --help\` lists the commands." "$BATCHLAB" rnu
expect 2 "batchlab: -C /nowhere: No such file or directory" "$BATCHLAB" -C /nowhere ls
expect 2 "batchlab: -C: expected a folder" "$BATCHLAB" -C
(cd / && "$BATCHLAB" -C "$OLDPWD" check quadratic --preset tiny | grep -q '^quadratic: fine') || { echo "--- -C"; failed=1; }
expect 2 "batchlab: unknown option '--prest': did you mean '--preset'?" "$BATCHLAB" run rossmann --prest tiny
expect 2 "batchlab: a value is missing after '--preset'
usage: batchlab run NAME [options]" "$BATCHLAB" run rossmann --preset
expect 2 "batchlab: unexpected argument 'two'
usage: batchlab run NAME [options]" "$BATCHLAB" run one two
expect 2 "batchlab: which experiment?
usage: batchlab run NAME [options]" "$BATCHLAB" run
# A setting that changes nothing is said in one line by every command that takes it, and a setting that counts is not.
notes() { # notes COUNT SETTING WORDS [COMMAND...]: in one line each of check, plan and the commands
  for command in check plan ${4:-}; do
    BATCHLAB_RUNS="$scratch/noted" BATCHLAB_REPORTS="$scratch/noted-reports" "$BATCHLAB" "$command" quadratic --preset tiny --set "$2" >"$scratch/out" 2>&1
    [ "$(grep -c "^note: --set $3" "$scratch/out")" = "$1" ] && [ "$(grep -c '^note: --set' "$scratch/out")" = "$1" ] && continue
    echo "--- $command --set $2: wanted $1 notes '$3'"
    cat "$scratch/out"
    failed=1
  done
}
notes 1 momentum=0.5 'optimizer.momentum has no effect where optimizer.name is sgd$' 'work run'
notes 1 beta1=0.5 'optimizer.beta1 has no effect where optimizer.name is sgd$'
notes 1 model.width=2 'model.width has no effect where model.kind is quadratic$'
notes 1 learning_rate=0.5 'train.learning_rate has no effect on runs that sweep.lua gives their own; a sweep takes sweep.lr_start'
notes 1 train.batch_size=32 'train.batch_size has no effect on runs that sweep.lua gives their own; a sweep takes sweep.batch_sizes$'
notes 0 optimizer.name=sgd '' 'work run'
notes 0 seed=3 ''

# Where data.rows limits the rows, a batch beyond them is known without data.
"$BATCHLAB" check rossmann --preset tiny --set 'sweep.batch_sizes=[64,20001]' >"$scratch/out" 2>"$scratch/err"
[ $? = 2 ] && grep -q "^experiments/rossmann/sweep.lua:.*batch size 20001 is larger than the data set (20000 " "$scratch/err" ||
  { echo "batch beyond data.rows:"; cat "$scratch/err"; failed=1; }
expect 2 "batchlab: --jobs x: expected a number from 1 to 256" "$BATCHLAB" run rossmann -jx
expect 2 "batchlab: option '--dry-run' takes no value
usage: batchlab run NAME [options]" "$BATCHLAB" run rossmann --dry-run=1
expect 2 "batchlab: --jobs 0: expected a number from 1 to 256" "$BATCHLAB" run rossmann -j 0
expect 2 "batchlab: --time-limit 5x: expected a time such as 90, 15m or 2h" "$BATCHLAB" run rossmann --time-limit 5x
expect 2 "batchlab: --progress loud: expected auto, plain, json or none" "$BATCHLAB" run rossmann --progress loud
BATCHLAB_CUDA=/nowhere expect 69 "batchlab: there is no CUDA backend here (/nowhere); it is built where nvcc and cuDNN are found" \
  "$BATCHLAB" run rossmann --device cuda:0
expect 2 "batchlab: unknown device 'gpu'; available: cpu, cuda, cuda:0, cuda:1, ..." "$BATCHLAB" run rossmann --device gpu
BL_FORCE_IMPL=abacus expect 2 "batchlab: BL_FORCE_IMPL=abacus: no such implementation; there is avx512, avx2, scalar, ref" \
  "$BATCHLAB" run rossmann --preset tiny --synthetic

# BATCHLAB_DEBUG=1 adds the place in the program; no other value does.
BATCHLAB_DEBUG=1 "$BATCHLAB" fsck nosuch 2>&1 | grep -q '^batchlab: raised at engine/cli/stores\.c:[1-9][0-9]* (missing)$' ||
  { echo "--- BATCHLAB_DEBUG=1 does not say where"; failed=1; }
BATCHLAB_DEBUG=0 "$BATCHLAB" fsck nosuch 2>&1 | grep -q 'raised at' && { echo "--- BATCHLAB_DEBUG=0 says where"; failed=1; }

# Nothing above computed anything; help is there for every command and costs nothing.
for command in run check plan status recommend plot report lock verify why fsck gc bundle completion ls show diff export fit init doctor; do
  "$BATCHLAB" $command --help >"$scratch/help" 2>&1 || { echo "--help of $command failed"; failed=1; }
  grep -q "^usage: batchlab $command" "$scratch/help" || { echo "--help of $command has no usage"; cat "$scratch/help"; failed=1; }
done

# Eight lines for no arguments; --help has every command once, under a heading of its group.
"$BATCHLAB" >"$scratch/out"
[ $? = 2 ] && [ "$(wc -l <"$scratch/out")" = 8 ] || { echo "--- batchlab alone:"; cat "$scratch/out"; failed=1; }
"$BATCHLAB" --help >"$scratch/help"
awk 'length > 80 { print; wide = 1 } END { exit wide }' "$scratch/out" "$scratch/help" || { echo "--- help is wider than 80 columns"; failed=1; }
sed -n 's/^  \([a-z]*\)  *[a-z].*/\1/p' "$scratch/help" | grep -vx batchlab >"$scratch/listed"
"$BATCHLAB" completion words | cut -f1 | cmp - "$scratch/listed" || { echo "--- commands that --help lists"; failed=1; }
grep -c '^[A-Z][a-z ]*$' "$scratch/help" | grep -qx 6 || { echo "--- headings of --help"; failed=1; }

# Every command of the table has its help; every option of every help is completed.
"$BATCHLAB" completion words | cut -f1 >"$scratch/commands"
[ "$(grep -c . "$scratch/commands")" -gt 15 ] || { echo "--- few commands to complete"; failed=1; }
while read -r command; do
  "$BATCHLAB" $command --help >"$scratch/help"
  for part in "^usage: batchlab $command" '^[A-Z].*[a-z]' '^example:$' '^  \$ batchlab '"$command" '^exit status:$' '^    0  .' '^    2  .' '^   74  .'; do
    grep -q -- "$part" "$scratch/help" || { echo "--- --help of $command lacks $part"; failed=1; }
  done
  awk 'length > 80 { print FILENAME ": " $0; wide = 1 } END { exit wide }' "$scratch/help" || { echo "--- --help of $command is wider than 80 columns"; failed=1; }
  "$BATCHLAB" completion man $command >"$scratch/page" && grep -q "^.TH \"batchlab-$command\" 1" "$scratch/page" || { echo "--- no manual page of $command"; failed=1; }
  if command -v groff >/dev/null; then
    groff -man -Tutf8 -ww -K utf8 "$scratch/page" 2>&1 >/dev/null | grep . && { echo "--- groff warns of the page of $command"; failed=1; }
  fi
  "$BATCHLAB" $command --help | sed -n 's/^  \(-., \)\{0,1\}\(--[a-z-]*\).*/\2/p' >"$scratch/options"
  "$BATCHLAB" completion words $command | cut -f1 | grep '^--' | grep -vx -e --help | cmp - "$scratch/options" || { echo "--- options of $command"; failed=1; }
done <"$scratch/commands"
# Behind an option stand its values: presets of the experiment, keys, words; runs behind commands that take one.
"$BATCHLAB" completion words -- run --preset rossmann | grep -q '^tiny	' || { echo "--- no preset is completed"; failed=1; }
"$BATCHLAB" completion words -- run --set rossmann | cut -f1 >"$scratch/keys"
grep -qx 'sweep.batch_sizes=' "$scratch/keys" && [ "$(grep -c . "$scratch/keys")" -gt 60 ] || { echo "--- no keys are completed"; failed=1; }
[ "$("$BATCHLAB" completion words -- run --progress rossmann | cut -f1 | tr '\n' ' ')" = "auto plain json none " ] || { echo "--- no words of --progress"; failed=1; }
mkdir -p "$scratch/ids/rossmann/r0123456789ab"
BATCHLAB_RUNS="$scratch/ids" "$BATCHLAB" completion words -- why why | grep -q '^r0123456789ab	run of rossmann$' || { echo "--- no run is completed"; failed=1; }
"$BATCHLAB" completion words run | grep -q '^rossmann	experiment$' || { echo "--- no experiment is completed"; failed=1; }
expect 2 "batchlab: which shell?
usage: batchlab completion bash|zsh|fish" "$BATCHLAB" completion tcsh
if command -v bash >/dev/null; then
  completed=$(PATH="$(dirname "$BATCHLAB"):$PATH" bash -c 'eval "$(batchlab completion bash)"; COMP_WORDS=(batchlab run --pre); COMP_CWORD=2; _batchlab; echo "${COMPREPLY[@]}"; COMP_WORDS=(batchlab comp); COMP_CWORD=1; _batchlab; echo "${COMPREPLY[@]}"' 2>&1)
  [ "$completed" = "--preset
compare completion" ] || { echo "--- bash completes: $completed"; failed=1; }
fi
for shell in zsh fish; do
  "$BATCHLAB" completion $shell >"$scratch/script" || failed=1
  if command -v $shell >/dev/null; then $shell -n "$scratch/script" || { echo "--- $shell refuses its script"; failed=1; }; fi
done

# A misspelt variable of ours is told, others are nobody's business.
BL_FORCE_IMP=scalar expect 2 "batchlab: warning: nothing reads the variable BL_FORCE_IMP: did you mean 'BL_FORCE_IMPL'?
batchlab: which run?
usage: batchlab why RUN" "$BATCHLAB" why
BATCHLAB_ZZZZZZZZ=1 expect 2 "batchlab: warning: nothing reads the variable BATCHLAB_ZZZZZZZZ
batchlab: which run?
usage: batchlab why RUN" "$BATCHLAB" why

# A folder that cannot be written: root writes anywhere, so a file stands where the folder has to be.
: >"$scratch/file"
BATCHLAB_RUNS="$scratch/file/runs" "$BATCHLAB" run rossmann --preset tiny --synthetic >"$scratch/out" 2>"$scratch/err"
[ $? = 74 ] && grep -q "^batchlab: cannot make the folder $scratch/file" "$scratch/err" || { echo "unwritable folder:"; cat "$scratch/err"; failed=1; }

# Data that are half there, or a folder that is not: told, never replaced by generated rows.
mkdir -p "$scratch/data/rossmann"
echo 'Store' >"$scratch/data/rossmann/store.csv"
BATCHLAB_DATA="$scratch/nowhere" expect 2 "batchlab: BATCHLAB_DATA=$scratch/nowhere: there is no such folder; --synthetic trains on generated rows" "$BATCHLAB" plan rossmann --preset tiny
BATCHLAB_DATA="$scratch/data" BATCHLAB_RUNS="$scratch/runs" BATCHLAB_CACHE="$scratch/cache" "$BATCHLAB" plan rossmann --preset tiny >"$scratch/out" 2>"$scratch/err"
[ $? = 2 ] && grep -q "rossmann/train.csv is missing, although other files of it are there" "$scratch/err" && grep -q "expected SHA-256 [0-9a-f]" "$scratch/err" || { echo "half a data set:"; cat "$scratch/err"; failed=1; }

# Experiments of the test's own: configuration and script errors carry their positions.
project
mkdir "$scratch/project/experiments/mine"
home=$PWD
cd "$scratch/project" || exit 1
cat >experiments/mine/experiment.cfg <<'EOF'
dataset = "rossmann";
sweep: {
  bach_sizes = [32, 64, 128];
};
EOF
echo 'return function(exp) end' >experiments/mine/sweep.lua
expect 2 "experiments/mine/experiment.cfg:3:3: error: unknown key 'bach_sizes' in group 'sweep'
    3 |   bach_sizes = [32, 64, 128];
      |   ^^^^^^^^^^ did you mean 'batch_sizes'?   (batchlab check --list-keys sweep)" "$BATCHLAB" check mine
"$BATCHLAB" check mein >"$scratch/out" 2>"$scratch/err"
[ $? = 2 ] && grep -q "mine" "$scratch/err" || { echo "unknown experiment:"; cat "$scratch/err"; failed=1; }
cat >experiments/mine/experiment.cfg <<'EOF'
dataset = "rossmann";
sweep: { targets = [0.2]; };
EOF
printf 'return function(exp)\n  exp:rnu{}\nend\n' >experiments/mine/sweep.lua
"$BATCHLAB" check mine >"$scratch/out" 2>"$scratch/err"
[ $? = 2 ] && grep -q "^experiments/mine/sweep.lua:2: " "$scratch/err" || { echo "script error:"; cat "$scratch/err"; failed=1; }

# A data set that nobody declared, where it is written; with --set it is written nowhere.
rm -f datasets/*
cp "$home/datasets/rossmann.cfg" datasets/
printf 'dataset = "rosman";\nsweep: { targets = [0.2]; };\n' >experiments/mine/experiment.cfg
expect 2 "experiments/mine/experiment.cfg:1:1: error: no data set 'rosman': there is no datasets/rosman.cfg; data sets here: rossmann; did you mean 'rossmann'?
    1 | dataset = \"rosman\";
      | ^^^^^^^" "$BATCHLAB" check mine
expect 2 "batchlab: no data set 'other': there is no datasets/other.cfg; data sets here: rossmann" "$BATCHLAB" check mine --set dataset=other

exit $failed
