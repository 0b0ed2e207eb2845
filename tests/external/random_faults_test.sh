#!/bin/sh
# Programs on bad days, drawn at random (docs/external.md, When it goes wrong): each draw is a round of one to four runs,
# with one fault or two at drawn steps and batch sizes, behind drawn shells, at -j1 or -j2, and now and then a signal
# to batchlab in the middle. Each has to end with a status and words that its faults allow, leave no process behind,
# and lose nothing: the same command without faults then completes the sweep, with the logs of a sweep that nothing
# disturbed, and no file is left over.
#
#     FAULTS=300 SEED=1 BATCHLAB=build/release/batchlab sh tests/external/random_faults_test.sh
#
# FAULTS: how many draws (30: each fault once at least). SEED: of the drawing (1). ONLY=N: that draw alone, with what it prints.
set -u
# A disk that fills is a small one of the test's own, in a name space of its own.
if [ "${1:-}" != inside ] && unshare -rm true 2>/dev/null; then
  exec unshare -rm sh "$0" inside
fi
. tests/cli/lib.sh
trainer_project
small=$scratch/small
mkdir "$small"
disk=no
[ "${1:-}" = inside ] && mount -t tmpfs -o size=32m none "$small" 2>/dev/null && disk=yes
trap 'umount "$small" 2>/dev/null; chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT

mkdir -p experiments/twin
sampled own twins
cat >wrapped <<'END'
trap '' TERM
"$@"
END
experiment() { # experiment SHELL SILENCE RUNS
  case $1 in
    direct) command="\"$trainer\"" ;;
    exec) command="\"sh\", \"-c\", \"exec \\\"\$@\\\"\", \"sh\", \"$trainer\"" ;;
    wrapped) command="\"sh\", \"wrapped\", \"$trainer\"" ;;
    session) command="\"setsid\", \"-w\", \"$trainer\"" ;;
  esac
  cat >experiments/twin/experiment.cfg <<END
title = "twins";
external: { command = [$command, "own", ""]; repeats = "exact"; epoch_rows = 65536; grace = 0.2; silence = $2; };
metric = "expected_loss";
END
  awk -v n="$3" 'BEGIN {
    print "return function(exp) exp:run { title = \"round\","
    for (i = 0; i < n; i++) printf "  { batch_size = %d, learning_rate = 0.5, seed = %d, max_steps = 30 },\n", i % 2 ? 32 : 4, 1 + int(i / 2)
    print "} end"
  }' >experiments/twin/sweep.lua
}

# ---- the draws: number fault:step:size[,fault:step:size] shell jobs runs signal delay ----
awk -v n="${FAULTS:-30}" -v x="${SEED:-1}" 'function draw(k) { x = (x * 16807) % 2147483647; return int(x / 65536) % k }
  BEGIN {
    x = x * 7919 + 12345
    k = split("hang ignore_term fork_twice tear garble repeat go_back skip nan infinite null oom_line oom_text exit_early end long_line wide_lines crash park_itself fail_once killed fill_disk wipe truncate halves workers flood", fault)
    split("direct exec wrapped session", shell)
    for (i = 1; i <= n; i++) {
      what = ""
      for (m = draw(3) == 0 ? 2 : 1; m > 0; m--)
        what = what (what == "" ? "" : ",") fault[(i <= k && what == "") ? i : 1 + draw(k)] ":" (1 + draw(24)) ":" (draw(3) - 1 ? (draw(2) ? 4 : 32) : 0)
      s = draw(4)
      print i, what, shell[1 + draw(4)], 1 + draw(2), 1 + draw(4), (s == 0 ? "TERM" : s == 1 && draw(2) ? "KILL" : draw(12) == 0 ? "INT" : "-"), (1 + draw(12)) / 20
    }
  }' >"$scratch/draws"

# meaning FAULT: the status that it ends a round with, and words; "hangs": it waits for somebody to end it.
meaning() {
  status_of=1 words_of=- hangs=no
  case $1 in
    hang | ignore_term) words_of='it hangs: no line for 1 seconds' hangs=yes ;;
    fork_twice) words_of='it ended with status 3 after step' hangs=yes ;;
    tear) words_of='it ended with status 9 after step' ;;
    garble) words_of='report.jsonl:[0-9]*: ' hangs=yes ;;
    repeat | go_back) words_of='steps ascend, and one process of a group reports' hangs=yes ;;
    skip) words_of='which was due: it evaluates where due(step) is true' hangs=yes ;;
    nan | infinite | null) status_of=0 hangs=yes ;;
    oom_line | oom_text) words_of='runs* failed; .batchlab run twin. tries' ;;
    exit_early) words_of='it ended with status 0 at step' ;;
    end | fail_once | halves | flood | wide_lines) status_of=0 ;;
    workers) status_of=0 hangs=yes ;;
    long_line) words_of='it hangs: no line for 1 seconds' hangs=yes ;;
    crash) words_of='signal 6 (Aborted) ended it after step\|it ended with status 6 after step' ;; # setsid says 6
    killed) words_of='signal 9 (Killed) ended it after step\|it ended with status 9 after step' ;;
    park_itself) words_of='as if parked, and nobody asked it' ;;
    fill_disk) words_of='run r[0-9a-f]* failed\|disk full\|cannot write\|File too large' ;;
    wipe) words_of='run r[0-9a-f]* failed' ;;
    truncate) words_of='it hangs: no line for 1 seconds' hangs=yes ;;
    *) fail "no meaning of $1" ;;
  esac
}

# occurs FAULT:STEP:SIZE RUNS: does the round have a run that it is for?
occurs() {
  case $1 in *:32) [ "$2" -gt 1 ] ;; *) true ;; esac
}

nobody() { # whatever has this test's run in its environment, but for what is on its way out
  for turn in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40; do
    left=$(grep -lsa "BATCHLAB_RUN=$scratch" /proc/[0-9]*/environ)
    [ -n "$left" ] || return 0
    sleep 0.5
  done
  fail "draw $n left behind: $(for p in $left; do tr '\0' ' ' <"${p%environ}cmdline"; done)"
  for p in $left; do p=${p#/proc/} && kill -9 "${p%/environ}" 2>/dev/null; done
}
body() { zcat "$1" | sed -e 1d -e '$d'; }
key() { sed 's/.*"train.batch_size":\([0-9]*\).*"train.seed":\([0-9]*\).*/\1-\2/' "$1"; }

# ---- what nothing disturbed ----
experiment direct 60.0 4
export BATCHLAB_RUNS="$scratch/whole"
try 0 work twin --progress none
for run in "$scratch"/whole/twin/r*/; do body "$run/log.jsonl.gz" >"$scratch/whole.$(key "$run/run.json")"; done
same "$(ls "$scratch" | grep -c '^whole\.')" 4 'runs that nothing disturbed'

# ---- one draw ----
drawn=0 left_out=0 signalled=0 failures=0 answered=0
one() { # one N FAULTS SHELL JOBS RUNS SIGNAL DELAY
  n=$1 shell=$3 jobs=$4 runs=$5 signal=$6 delay=$7
  allowed= zero=no silence=60.0 where=$scratch hanging=no limit=unlimited published=
  for fault in $(echo "$2" | tr , ' '); do
    case $fault in fill_disk:*)
      where=$small
      [ $disk = yes ] || limit=4096
      ;;
    esac
    meaning "${fault%%:*}"
    if [ $hangs = yes ]; then hanging=yes; fi
    case $words_of in 'it hangs'*) silence=1.0 ;; esac
    case $fault in nan:* | infinite:* | null:* | end:*) published=yes ;; esac
    if occurs "$fault" "$runs"; then
      [ $status_of = 0 ] && zero=yes || allowed="$allowed${allowed:+\\|}$words_of"
    fi
  done
  case $2 in *,*) [ -z "$published" ] || zero=yes ;; *) zero=no ;; esac # one fault may come before another
  [ $signal = KILL ] && [ $hanging = yes ] && signal=TERM # nobody is left who ends what does not look at the beat
  experiment "$shell" "$silence" "$runs"
  export BATCHLAB_RUNS="$where/draw"
  rm -rf "$BATCHLAB_RUNS"
  (
    [ $limit = unlimited ] || ulimit -f $limit
    TRAINER_FAULTS=$(echo "$2" | tr , ' ') exec "$BATCHLAB" work twin "-j$jobs" --progress none
  ) >"$scratch/out" 2>"$scratch/err" &
  pid=$!
  if [ "$signal" != - ]; then
    sleep "$delay"
    # On a busy machine the shell may not have become the program yet, or that may not listen yet.
    while [ "$signal" != KILL ] && kill -0 $pid 2>/dev/null; do
      case $(sed -n 's/^SigCgt:[[:space:]]*//p' /proc/$pid/status 2>/dev/null) in '' | *[4567cdef]???) break ;; esac
      sleep 0.02
    done
    kill -"$signal" $pid 2>/dev/null && signalled=$((signalled + 1))
  fi
  wait $pid 2>/dev/null
  status=$?
  [ $status != 0 ] && failures=$((failures + 1))
  case $status in
    0) [ -z "$allowed" ] || [ $zero = yes ] || fail "draw $*: status 0" ;;
    75) [ "$signal" != - ] || [ "$limit" != unlimited ] || fail "draw $*: status 75" ;;
    137) [ "$signal" = KILL ] || fail "draw $*: killed" ;;
    1 | 74)
      [ -n "$allowed" ] && grep -q -- "$allowed" "$scratch/err" || fail "draw $*: status $status, other words than '$allowed'"
      [ $status = 1 ] || [ "$where" = "$small" ] || fail "draw $*: status 74"
      ;;
    *) fail "draw $*: status $status" ;;
  esac
  nobody
  heal "$@"
}

# heal N FAULTS...: without faults the same command completes the sweep, and nothing of it differs.
heal() {
  experiment "$shell" 60.0 "$runs"
  [ "$where" = "$scratch" ] || rm -rf "$BATCHLAB_RUNS"/twin/r*/failed # what the program wrote fills the disk
  "$BATCHLAB" work twin --progress none >"$scratch/out" 2>"$scratch/err"
  status=$?
  [ $status = 0 ] || fail "draw $*: healed with status $status"
  nobody
  found=0
  for run in "$BATCHLAB_RUNS"/twin/r*/; do
    found=$((found + 1))
    whole=$scratch/whole.$(key "$run/run.json")
    body "$run/log.jsonl.gz" >"$scratch/body"
    if [ -n "$published" ] && ! cmp -s "$scratch/body" "$whole"; then # the last record is the fault's
      lines=$(wc -l <"$scratch/body")
      head -n $((lines - 2)) "$scratch/body" >"$scratch/prefix"
      head -n $((lines - 2)) "$whole" | cmp -s - "$scratch/prefix" || fail "draw $*: another log than before its last record"
    else
      cmp -s "$scratch/body" "$whole" || fail "draw $*: another log"
    fi
  done
  same $found "$runs" "runs of draw $n"
  "$BATCHLAB" fsck twin >"$scratch/out" 2>&1 || fail "draw $*: fsck"
  says out ": 0 damaged files, 0 leftovers, 0 set aside before$"
  left=$(find "$BATCHLAB_RUNS" -name 'claim.d*' -o -name '*.part' -o -name '*.tmp-*' -o -name failed)
  [ -z "$left" ] || fail "draw $*: left over: $left"
  rm -rf "$BATCHLAB_RUNS"
  answered=$((answered + found))
}

while read -r line; do
  [ -z "${ONLY:-}" ] || [ "${line%% *}" = "$ONLY" ] || continue
  [ -z "${ONLY:-}" ] || echo "$line"
  drawn=$((drawn + 1))
  # shellcheck disable=SC2086 # the words are the arguments
  one $line
  [ -z "${ONLY:-}" ] || cat "$scratch/err"
done <"$scratch/draws"
[ $disk = yes ] || echo "SKIPPED a disk that fills: no disk can be mounted here, files had a largest size instead"
echo "$drawn draws: $failures ended with an error, $signalled had a signal, $answered runs were completed, $failed faults"
exit $failed
