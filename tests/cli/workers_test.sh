#!/bin/sh
# Several processes on one store: whoever is killed, stopped for longer than a claim lasts, or asked to
# end, all come to the plan and the logs of a single process, byte for byte.
set -eu
scratch=$(mktemp -d)
workers=
trap 'for p in $workers; do kill -KILL $p 2>/dev/null || true; done; rm -rf "$scratch"' EXIT
unset BL_FORCE_IMPL
export BATCHLAB_DATA=/nowhere BL_CLAIM_BEAT=0.1 BL_CLAIM_STALE=0.5

work() { # work STORE: the shell becomes a worker
  export BATCHLAB_RUNS="$scratch/$1" BATCHLAB_REPORTS="$scratch/$1.reports"
  exec "$BATCHLAB" work rossmann --preset tiny --synthetic --set data.rows=6000 --progress none -j 1 >>"$scratch/$1.out" 2>&1
}
fail() {
  echo "$1"
  for out in "$scratch"/*.out; do tail -n 5 "$out"; done
  exit 1
}
claimed() { # claimed STORE PID: has the process a claim?
  ls -d "$scratch/$1"/rossmann/*/claim.d/*-"$2"-* >/dev/null 2>&1
}
until_claimed() { # false: it ended first
  while ! claimed "$1" "$2"; do
    kill -0 "$2" 2>/dev/null || return 1
    sleep 0.01
  done
}
clean() { # clean STORE: nothing is left of claims and half-written files, nothing was set aside
  left=$(find "$scratch/$1" -name 'claim.d*' -o -name '*.tmp-*' -o -name '*.corrupt-*' -o -name measuring)
  [ -z "$left" ] || fail "left behind: $left"
  # A run may have been saved beyond where its race was cut: the log goes with the checkpoint.
  for run in "$scratch/$1"/rossmann/*/; do
    [ ! -e "$run/checkpoint-A" ] || [ ! -e "$run/checkpoint-B" ] || fail "two checkpoints in $run"
    [ ! -e "$run/log.jsonl.part" ] || [ -e "$run/checkpoint-A" ] || [ -e "$run/checkpoint-B" ] || fail "a log alone in $run"
  done
}

(work one) || fail "a single worker failed"
clean one

# Two `run`s and two `work`s, undisturbed. Each answers with the same words.
for n in 1 2; do
  BATCHLAB_RUNS="$scratch/quiet" BATCHLAB_REPORTS="$scratch/reports.$n" \
    "$BATCHLAB" run rossmann --preset tiny --synthetic --set data.rows=6000 --progress none -j 1 >"$scratch/run.$n" 2>"$scratch/quiet.out" &
  workers="$workers $!"
  (work quiet) &
  workers="$workers $!"
done
for p in $workers; do wait "$p" || fail "an undisturbed process failed"; done
workers=
sh tests/same_outputs.sh "$scratch/one" "$scratch/quiet"
clean quiet
[ "$(ls "$scratch/quiet/rossmann" | grep -c timing)" = 1 ] || fail "no timing.json"
sed 's/reports\.[12]//' "$scratch/run.1" >"$scratch/words"
sed 's/reports\.[12]//' "$scratch/run.2" | cmp - "$scratch/words" || fail "two answers"

# An owner is stopped, another takes its run over and finishes the sweep, the owner wakes up: both
# end well, and the run is published once.
stopped=0
for store in frozen; do
  (work $store) &
  owner=$!
  workers=$owner
  until_claimed $store $owner || fail "the worker claimed nothing"
  kill -STOP $owner
  claimed $store $owner && stopped=$((stopped + 1))
  (work $store) || fail "the thief failed"
  sh tests/same_outputs.sh "$scratch/one" "$scratch/$store"
  find "$scratch/$store" -name result.json -exec ls --full-time {} + >"$scratch/before"
  kill -CONT $owner
  wait $owner || fail "the owner failed when it woke up"
  workers=
  find "$scratch/$store" -name result.json -exec ls --full-time {} + | cmp - "$scratch/before" || fail "published twice"
  sh tests/same_outputs.sh "$scratch/one" "$scratch/$store"
  clean $store
done
[ $stopped -gt 0 ] || fail "no owner was stopped with its claim"

# Four at once, and every tenth of a second one of them is killed, stopped for a second, or asked to
# end; whoever ends is started again.
seed=1
random() { # random N: sets r
  seed=$(((seed * 1103515245 + 12345) % 2147483648))
  r=$((seed / 65536 % $1))
}
kills=0 stops=0 terms=0
for store in crowd; do
  mkdir -p "$scratch/$store"
  workers= asleep=
  for n in 1 2 3 4; do
    (work $store) &
    workers="$workers $!"
  done
  for turn in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
    sleep 0.1
    random 4
    set -- $workers
    shift $r
    victim=$1
    kill -0 "$victim" 2>/dev/null || continue
    random 5
    case $r in
      0 | 1)
        kill -KILL "$victim" 2>/dev/null && kills=$((kills + 1)) ;;
      2)
        kill -TERM "$victim" 2>/dev/null && terms=$((terms + 1)) ;;
      *)
        kill -STOP "$victim" 2>/dev/null && stops=$((stops + 1))
        asleep="$asleep $victim"
        continue ;;
    esac
    kill -CONT "$victim" 2>/dev/null || true
    wait "$victim" && rc=0 || rc=$?
    case $rc in 0 | 75 | 137) ;; *) fail "a worker ended with $rc" ;; esac
    (work $store) &
    workers="$(echo " $workers " | sed "s/ $victim / /") $!"
  done
  (work $store) || fail "the last worker failed"
  for p in $asleep; do kill -CONT "$p" 2>/dev/null || true; done
  for p in $workers; do
    wait "$p" && rc=0 || rc=$?
    case $rc in 0 | 75 | 137) ;; *) fail "a worker ended with $rc" ;; esac
  done
  workers=
  (work $store) || fail "the very last worker failed"
  sh tests/same_outputs.sh "$scratch/one" "$scratch/$store"
  clean $store
done
[ $kills -gt 0 ] && [ $stops -gt 0 ] && [ $terms -gt 0 ] || fail "not every kind of trouble was made"
echo "$kills killed, $stops stopped, $terms asked to end: 0 lost, 0 differences"
