#!/bin/sh
# Hostile use of the command line: names that are paths, output files that are none, a full standard
# output, files that grow too large, FIFOs and folders in a file's place, text that acts on a terminal.
set -u
. tests/cli/lib.sh
export BATCHLAB_RUNS="$scratch/runs" BATCHLAB_REPORTS="$scratch/reports" BATCHLAB_CACHE="$scratch/cache"
# Nothing may wait: a command that is not done after a minute ends with 124.
printf '#!/bin/sh\nexec timeout -k 10 60 "%s" "$@"\n' "$BATCHLAB" >"$scratch/batchlab"
chmod +x "$scratch/batchlab"
BATCHLAB=$scratch/batchlab repository=$PWD
in_project() { # in_project STATUS arguments...: as try, with $scratch/project as the folder
  cd "$scratch/project" && try "$@"
  cd "$repository" || exit 1
}

# ---- names: one function refuses every operand that is a path or nothing
mkdir -p "$scratch/runs/keep/0123456789ab.corrupt-1" "$scratch/keep/x.corrupt-1" "$scratch/runs/.hidden/x.corrupt-1"
for name in .. . ../keep keep/../../keep '' .hidden /etc ./keep; do
  for command in 'fsck --repair' gc ls status export bundle recommend plot report run work check plan lock verify \
    'submit --slurm --workers 1 --print'; do
    # shellcheck disable=SC2086
    try 2 $command "$name"
    [ -s "$scratch/err" ] || fail "$command '$name' says nothing"
  done
  for command in show why 'diff 0123'; do
    # shellcheck disable=SC2086
    try 2 $command "$name"
  done
done
try 2 fit ''
says err "expected the name of a file"
try 2 init '' --target y
[ -d "$scratch/keep/x.corrupt-1" ] && [ -d "$scratch/runs/.hidden/x.corrupt-1" ] || fail "something outside of the store was removed"

# ---- a store to look at
try 0 run rossmann --preset tiny --synthetic -j 2 --progress none
run=$(ls "$scratch/runs/rossmann" | grep -E '^[a-z]?[0-9a-f]{12}$' | head -1)
[ -n "$run" ] || fail "no run was made"

# ---- -o FILE: written to what is there; a link stays; a folder is refused
mkfifo "$scratch/fifo"
cat "$scratch/fifo" >"$scratch/through" &
reader=$!
try 0 bundle rossmann -o "$scratch/fifo"
[ "$status" = 0 ] || kill $reader
wait $reader
try 0 bundle rossmann -o "$scratch/plain.tar.gz"
cmp -s "$scratch/through" "$scratch/plain.tar.gz" || fail "a FIFO gets other bytes than a file"
[ -p "$scratch/fifo" ] || fail "the FIFO was replaced"
ln -s plain.tar.gz "$scratch/link"
: >"$scratch/plain.tar.gz"
try 0 bundle rossmann -o "$scratch/link"
[ -L "$scratch/link" ] && cmp -s "$scratch/through" "$scratch/plain.tar.gz" || fail "the link was replaced"
ln -s nowhere "$scratch/dangling"
try 2 bundle rossmann -o "$scratch/dangling"
says err "it is a link to a file that does not exist"
[ -e "$scratch/nowhere" ] && fail "a link without a target was followed"
try 2 bundle rossmann -o "$scratch/runs"
says err "it is a folder"
try 0 bundle rossmann -o /dev/null
[ -c /dev/null ] || fail "/dev/null was replaced"
try 74 bundle rossmann -o /dev/full
says err "/dev/full"
try 74 export rossmann --tfevents -o "$scratch/plain.tar.gz"
says err "cannot make the folder"
try 0 export rossmann --tfevents -o "$scratch/events"
events=$(find "$scratch/events" -type f | head -1)
rm "$events" && mkfifo "$events"
cat "$events" >"$scratch/through" &
reader=$!
try 0 export rossmann --tfevents -o "$scratch/events"
[ "$status" = 0 ] || kill $reader
wait $reader
[ -p "$events" ] && [ -s "$scratch/through" ] || fail "export replaced a FIFO"

# ---- a full standard output is a failure of every command that prints
"$BATCHLAB" completion words | cut -f1 | while read -r command; do
  case $command in init | completion) continue ;; esac
  "$BATCHLAB" "$command" --help >/dev/full 2>"$scratch/err"
  [ $? = 74 ] || echo "--- $command --help into a full disk: not 74"
done >"$scratch/help"
[ -s "$scratch/help" ] && { cat "$scratch/help"; failed=1; }
# full STATUS-WITHOUT arguments...
full() {
  try "$@"
  [ -s "$scratch/out" ] || fail "$* prints nothing: that shows nothing"
  shift
  "$BATCHLAB" "$@" >/dev/full 2>"$scratch/err"
  [ $? = 74 ] || fail "$* into a full disk: not 74"
  says err "cannot write to standard output"
}
full 0 recommend rossmann
full 0 recommend rossmann --json
full 0 plan rossmann --preset tiny --synthetic
full 0 ls
full 0 status
full 0 why "$run"
full 0 show "$run"
full 0 export rossmann
full 0 doctor
full 0 check --list-keys all
full 0 check rossmann
full 0 completion bash
full 0 gc -n
full 0 --version
full 0 --help
cp -r "$scratch/runs/rossmann" "$scratch/runs/broken"
printf x >>"$scratch/runs/broken/$run/result.json"
full 4 fsck broken
rm -r "$scratch/runs/broken"

# ---- closed standard files: what is opened next does not get their numbers, nor the messages
for mode in json plain; do
  "$BATCHLAB" run rossmann --preset tiny --synthetic --progress $mode >"$scratch/out" 2>&-
  same $? 0 "run --progress $mode with standard error closed"
  "$BATCHLAB" work rossmann --preset tiny --synthetic --progress $mode <&- >&- 2>&-
  same $? 0 "work --progress $mode with all three closed"
done
"$BATCHLAB" run rossmann --preset tiny --synthetic --progress json <&- >&- 2>&-
same $? 74 "run with all three closed"

# ---- a limit on the size of files: a message and 74, not a signal
(ulimit -f 1 && try 74 bundle rossmann -o "$scratch/limited.tar"; exit $failed) || failed=1
[ -e "$scratch/limited.tar" ] && fail "half a bundle was left"

# ---- what is no plain file: refused or mended at once, and never waited for
project
mkdir "$scratch/project/experiments/x"
sed 's/rossmann_one_cycle/x/' experiments/rossmann/experiment.cfg >"$scratch/project/experiments/x/experiment.cfg"
mkfifo "$scratch/project/experiments/x/sweep.lua"
in_project 2 check x
says err "it is a FIFO, not a plain file"
mv "$scratch/runs/rossmann/$run/result.json" "$scratch/kept.json"
mkdir "$scratch/runs/rossmann/$run/result.json"
try 4 fsck rossmann
try 0 run rossmann --preset tiny --synthetic -j 2 --progress none
[ -f "$scratch/runs/rossmann/$run/result.json" ] || fail "a folder in the result's place: the run was not done again"
try 0 gc rossmann
rm "$scratch/runs/rossmann/$run/log.jsonl.gz"
mkfifo "$scratch/runs/rossmann/$run/log.jsonl.gz"
try 4 fsck rossmann
try 4 fsck rossmann --repair
try 0 run rossmann --preset tiny --synthetic -j 2 --progress none
[ -f "$scratch/runs/rossmann/$run/log.jsonl.gz" ] || fail "a FIFO in the log's place: the run was not done again"

# ---- text that acts on a terminal
esc=$(printf '\033') c1=$(printf '\302\233') rlo=$(printf '\342\200\256')
acts() { grep -q -e "$esc" -e "$c1" -e "$rlo" "$scratch/out" "$scratch/err" && fail "$1 reaches the terminal"; }
rm "$scratch/project/experiments/x/sweep.lua"
for text in "$esc[31m" "$c1"31m "$rlo"; do
  printf 'return function(exp) error("a%sb") end\n' "$text" >"$scratch/project/experiments/x/sweep.lua"
  in_project 2 check x
  acts "a script's error"
  grep -q 'a\\' "$scratch/err" || fail "the error does not show what stood there"
  printf 'return function(exp) exp:note("a%sb") exp:run{{}} end\n' "$text" >"$scratch/project/experiments/x/sweep.lua"
  in_project 2 check x
  says err "has to be one line without control characters"
  printf 'return function(exp) exp:run{{}, title = "a%sb"} end\n' "$text" >"$scratch/project/experiments/x/sweep.lua"
  in_project 2 check x
  says err "has to be one line without control characters"
  try 2 check rossmann --set "a${text}b=1"
  acts "an unknown key"
  try 2 check rossmann --set "title=\"a${text}b\""
  acts "a title"
done

# Whatever word is somebody else's: arguments, files, columns, folders in a store, variables.
acting() { "$BATCHLAB" "$@" >"$scratch/out" 2>"$scratch/err"; acts "$*"; }
for text in "$esc[31m${c1}31m$rlo"; do
  for command in ls status export recommend plot report run work check plan lock verify gc 'fsck --repair' show why diff \
    submit bundle completion doctor fit init "x$text"; do
    acting $command "a$text"
    acting $command a "b$text" c
    acting $command "--x$text"
    acting $command rossmann "--x$text=1"
    acting $command rossmann --jobs "$text" --sample "$text" --preset "$text"
    acting $command rossmann --device "$text"
    acting $command rossmann --only "$text" --where "$text"
  done
  acting bundle rossmann -o "$scratch/none$text/x.tar"
  acting bundle rossmann -o "$scratch/x$text.tar"
  try 2 bundle rossmann -o ""
  acting export rossmann --tfevents -o "$scratch/events$text"
  BATCHLAB_RUNS="$scratch/runs$text" acting status
  BATCHLAB_REPORTS="$scratch/reports$text" acting report rossmann
  env "BATCHLAB_X$text=1" "$BATCHLAB" status >"$scratch/out" 2>"$scratch/err"
  acts "a variable's name"
  mkdir -p "$scratch/runs/rossmann/junk$text" "$scratch/runs/other$text/r0123456789ab"
  for command in ls status fsck gc export "ls --json" "status --json" "fsck --json"; do acting $command; done
  rm -rf "$scratch/runs/rossmann/junk$text" "$scratch/runs/other$text"
  { echo "a$text,b,y$text"; seq 40 | sed 's/.*/&,x&,&/'; } >"$scratch/t$text.csv"
  (cd "$scratch/project" && "$BATCHLAB" init "$scratch/t$text.csv" --target "y$text" --name t >"$scratch/out" 2>"$scratch/err")
  acts "a column's name"
  rm -rf "$scratch/project/experiments/t" "$scratch/project/datasets/t".*
  acting fit "$scratch/t$text.csv"
  { echo "batch_size,steps,series"; seq 8 | awk -v t="$text" '{ print 2 ^ $1 "," int(1 + 1000 / 2 ^ $1) ",s" t }'; } >"$scratch/f.csv"
  cp "$scratch/f.csv" "$scratch/f$text.csv"
  for form in "" --json; do acting fit "$scratch/f$text.csv" $form; done
done

# ---- a clear sentence
printf 'local s = require "sweep"\nreturn function(exp) s.pow2(1, 2^1000) end\n' >"$scratch/project/experiments/x/sweep.lua"
in_project 2 check x
says err "the last of pow2 is larger than any whole number"
exit $failed
