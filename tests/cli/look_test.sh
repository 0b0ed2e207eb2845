#!/bin/sh
# ls, show, diff and export: what they say about a small sweep, and that they change nothing.
set -u
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export BATCHLAB_DATA=/nowhere BATCHLAB_RUNS="$scratch/runs" BATCHLAB_REPORTS="$scratch/reports"
unset BL_FORCE_IMPL
failed=0

try() { # try STATUS command...: output goes to $scratch/out and $scratch/err
  want=$1
  shift
  "$BATCHLAB" "$@" >"$scratch/out" 2>"$scratch/err"
  status=$?
  [ "$status" = "$want" ] && return
  echo "--- batchlab $*: exit $status, wanted $want"
  cat "$scratch/out" "$scratch/err"
  failed=1
}
says() { # says FILE expression
  grep -q -- "$2" "$scratch/$1" || { echo "--- not said: $2"; cat "$scratch/out" "$scratch/err"; failed=1; }
}
same() { # same GOT WANTED what
  [ "$1" = "$2" ] || { echo "--- $3: '$1', wanted '$2'"; failed=1; }
}

# An empty store.
try 0 ls
same "$(wc -l <"$scratch/out")" 1 "lines of an empty list"
try 2 ls rossmann
says err "^batchlab: there are no runs of 'rossmann'"
try 2 export rossmann
try 2 show abcd
says err "^batchlab: no run in .* has an id that begins with 'abcd'"

"$BATCHLAB" run rossmann --preset tiny --synthetic --set sweep.max_epochs=1 --progress none >/dev/null 2>"$scratch/err"
[ $? = 0 ] || [ $? = 5 ] || { cat "$scratch/err"; exit 1; }
store=$BATCHLAB_RUNS/rossmann
find "$store" -type f -exec sha256sum {} + | sort >"$scratch/before"
ids=$(ls "$store" | grep -x '[0-9a-f]\{12\}')
first=$(echo "$ids" | head -1) second=$(echo "$ids" | sed -n 2p)

try 0 ls rossmann --json
same "$(sed 's/.*"run":"\([0-9a-f]*\)".*/\1/' "$scratch/out")" "$ids" "runs listed, in order"
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
says err "^batchlab: 'abc' is no run: at least 4"
try 2 show "$store/none"
try 2 show
cp -r "$store/$second" "$store/$(echo "$first" | cut -c1-8)0000"
try 2 show "$(echo "$first" | cut -c1-8)"
says err "begins the ids of several runs"
rm -r "$store/$(echo "$first" | cut -c1-8)0000"

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

# One row per evaluation; the same numbers in both forms.
evals=$(for id in $ids; do zcat "$store/$id/log.jsonl.gz"; done | grep -c '"record":"eval"')
try 0 export rossmann
same "$(tail -n +2 "$scratch/out" | wc -l)" "$evals" "rows exported"
cut -d, -f1,7,9 "$scratch/out" | tail -n +2 >"$scratch/csv"
try 0 export rossmann --jsonl
sed 's/.*"run":"\([^"]*\)".*"step":\([0-9]*\).*"value":\([^,]*\),.*/\1,\2,\3/' "$scratch/out" | sed 's/,null$/,/' >"$scratch/jsonl"
cmp "$scratch/csv" "$scratch/jsonl" || failed=1
value=$(zcat "$store/$first/log.jsonl.gz" | sed -n 's/.*"record":"eval".*"value":\([^,]*\),.*/\1/p' | tail -1)
grep -q "^$first,$steps,$value\$" "$scratch/csv" || { echo "--- the last value of $first is not exported"; failed=1; }
try 2 export rossmann --csv --jsonl

find "$store" -type f -exec sha256sum {} + | sort | cmp - "$scratch/before" || { echo "--- looking changed files"; failed=1; }

# A damaged run does not hide the others.
printf 'x' >"$store/$first/log.jsonl.gz"
try 0 ls rossmann
says out "$first  damaged"
same "$(wc -l <"$scratch/out")" "$(($(echo "$ids" | wc -l) + 1))" "lines with a damaged run"
exit $failed
