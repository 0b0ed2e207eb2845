#!/bin/sh
# What the answer rests on proves itself: a flipped bit in plan.jsonl, timing.json or run.json, and a plan
# of another experiment, are named by fsck, refused by recommend (4) and mended by the next run.
set -u
. tests/cli/lib.sh
export BATCHLAB_CACHE="${BATCHLAB_CACHE:-$PWD/datasets/cache}" BATCHLAB_DATA=/nowhere
export BATCHLAB_RUNS="$scratch/runs" BATCHLAB_REPORTS="$scratch/reports"
store="$scratch/runs/rossmann"

sweep() { # sweep STATUS
  try "$1" run rossmann --preset tiny --synthetic -j 2 --progress none
}
flip() { # flip FILE OFFSET: the lowest bit of one byte
  byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
  # shellcheck disable=SC2059
  printf "\\$(printf %o $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
mended() { # mended NAME: the store's file is the sound one
  cmp "$store/$1" "$scratch/sound/$1" || fail "$1 was not mended"
}

"$BATCHLAB" run rossmann --preset tiny --synthetic -j 2 --progress none >"$scratch/out" 2>"$scratch/err"
answer=$? # 0 or 5: what the tiny sweep answers is not this test's business
cp -r "$store" "$scratch/sound"
try 0 fsck
try "$answer" recommend rossmann
cp "$scratch/out" "$scratch/words"

# A learning rate in the plan, a digit of a time, and each file's own seal.
rate=$(grep -obm1 '"learning_rate":0.0' "$store/plan.jsonl" | cut -d: -f1)
for case in "plan.jsonl $((rate + 18))" "plan.jsonl 40" "plan.jsonl $(($(wc -c <"$store/plan.jsonl") - 20))" \
  "timing.json 400" "timing.json 12" "timing.json $(($(wc -c <"$store/timing.json") - 20))"; do
  # shellcheck disable=SC2086
  set -- $case
  flip "$store/$1" "$2"
  try 4 fsck
  says out "$1:.*\(seal does not hold\|not valid JSON\)"
  for command in recommend plot report bundle; do
    [ $command = bundle ] && [ "$1" = timing.json ] && continue # it travels only with --with-timing
    try 4 $command rossmann ${command:+$([ $command = bundle ] && echo "-o $scratch/b.tar")}
    says err "$1: its seal does not hold"
  done
  sweep "$answer"
  [ "$1" = plan.jsonl ] && mended plan.jsonl
  try 0 fsck
done
try "$answer" recommend rossmann

# The plan of another experiment, whole and sealed.
sed 's/"experiment":"rossmann"/"experiment":"mnist"/; $d' "$scratch/sound/plan.jsonl" >"$store/plan.jsonl"
printf '{"record":"seal","sha256":"%s"}\n' "$(sha256sum "$store/plan.jsonl" | cut -c1-64)" >"$scratch/seal"
cat "$scratch/seal" >>"$store/plan.jsonl"
try 4 recommend rossmann
says err "is the plan of experiment 'mnist'"
try 4 fsck
sweep "$answer"
mended plan.jsonl

# A plan that says another step than the log of its run, sealed all the same.
sed '$d' "$scratch/sound/plan.jsonl" | sed '0,/"outcome":"target"/s/"hit":\([0-9]*\)/"hit":1\1/' >"$store/plan.jsonl"
printf '{"record":"seal","sha256":"%s"}\n' "$(sha256sum "$store/plan.jsonl" | cut -c1-64)" >"$scratch/seal"
cat "$scratch/seal" >>"$store/plan.jsonl"
cmp -s "$store/plan.jsonl" "$scratch/sound/plan.jsonl" && fail "no step of the plan was changed"
try 4 recommend rossmann
says err "its log says step"
try 4 fsck
sweep "$answer"
mended plan.jsonl

# Another learning rate everywhere in the plan, sealed all the same: the runs' logs know theirs.
sed '$d; s/"\(train\.\)\{0,1\}learning_rate":0.0/"\1learning_rate":0.8/g' "$scratch/sound/plan.jsonl" >"$store/plan.jsonl"
printf '{"record":"seal","sha256":"%s"}\n' "$(sha256sum "$store/plan.jsonl" | cut -c1-64)" >"$scratch/seal"
cat "$scratch/seal" >>"$store/plan.jsonl"
for command in recommend plot report "bundle -o $scratch/b.tar"; do
  # shellcheck disable=SC2086
  try 4 $command rossmann
  says err "learning rate 0.8.*; its log says"
done
try 4 fsck
sweep "$answer"
mended plan.jsonl

# run.json: seen by fsck, written anew by run.
run=$(basename "$(dirname "$(ls -d "$store"/*/run.json | head -1)")")
flip "$store/$run/run.json" 30
try 4 fsck
says out "$run/run.json: its digest is not the run's id"
sweep "$answer"
mended "$run/run.json"
try 0 fsck

# A folder or a FIFO in a file's place: damage to fsck, set aside by run, which writes the file anew.
for file in plan.jsonl timing.json "$run/run.json"; do
  for make in mkdir mkfifo; do
    rm "$store/$file"
    $make "$store/$file"
    [ $make = mkdir ] && : >"$store/$file/own"
    try 4 fsck
    if [ "$file" = plan.jsonl ]; then # it is not taken for a missing one, which forbids less
      try 4 recommend rossmann
      try 4 gc rossmann --unplanned -n
    fi
    sweep "$answer"
    [ "$file" = timing.json ] || mended "$file"
    [ -f "$store/$file" ] || fail "$file was not written anew"
    [ -e "$store/$file.corrupt-1" ] || fail "$file was not set aside"
    rm -r "$store/$file.corrupt-1"
    try 0 fsck
  done
done

# Files from before there were seals: read with a note, renewed by run.
sed '1s/"format":2/"format":1/; $d' "$scratch/sound/plan.jsonl" >"$store/plan.jsonl"
sed '1s/"format":2/"format":1/; $d' "$scratch/sound/timing.json" | sed '$s/,$/}/' >"$store/timing.json"
try 0 fsck
try "$answer" recommend rossmann
says err "plan.jsonl was written before files had seals"
sweep "$answer"
mended plan.jsonl
try "$answer" recommend rossmann
grep -q "before files had seals" "$scratch/err" && fail "the files were not renewed"
exit $failed
