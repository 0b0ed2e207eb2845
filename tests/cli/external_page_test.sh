#!/bin/sh
# The first example of docs/external.md as it stands there: the script, its declaration, and every line that the page
# shows, but for times. SKIPPED without python3.
set -u
. tests/cli/lib.sh
command -v python3 >/dev/null || { echo "there is no python3"; exit 77; }
helper=$PWD/clients/python/batchlab.py
page=$PWD/docs/external.md
project
cd "$scratch/project" || exit 1

block() { awk -v want="$1" '/^```/ { fenced = !fenced; n += fenced; next } fenced && n == want' "$page"; }
shown() { # shown COMMAND: the lines that the page shows of it, without times
  awk -v want="    \$ batchlab $1" '/^    \$ / { inside = $0 == want; next } /^[^ ]/ { inside = 0 }
    inside && NF && $1 != "..." { print substr($0, 5) }' "$page" | timeless
}
timeless() { # lines of the table up to their examples, and no other line with a time
  sed -n 's/^\( *[0-9][0-9,]*  *[0-9.]*  .*\]  *[0-9,]*\)  .*/\1/; s/, [0-9.]* ms a step.*//; /^Fastest/d; /^batch /d; p'
}
mkdir -p number experiments/number
cp "$helper" number/
block 1 >number/train.py
block 2 >experiments/number/experiment.cfg
block 3 >experiments/number/sweep.lua
export BATCHLAB_RUNS="$scratch/number"
for command in 'check number --twice' 'run number' "init --command 'python3 number/train.py' --name guess --metric half_square"; do
  eval "set -- $command"
  shown "$command" >"$scratch/shown"
  [ -s "$scratch/shown" ] || fail "the page shows nothing of $command"
  [ "$1" = run ] && set -- "$@" --progress none
  try 0 "$@"
  cat "$scratch/out" "$scratch/err" | timeless >"$scratch/got"
  while IFS= read -r line; do
    grep -Fxq -- "$line" "$scratch/got" || fail "batchlab $command does not print: $line"
  done <"$scratch/shown"
done
exit $failed
