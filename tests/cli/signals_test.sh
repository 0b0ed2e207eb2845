#!/bin/sh
# Every way to ask a sweep to stop ends it with 75, its work kept and its claims given back; a second
# Ctrl-C ends it at once; then the sweep goes on to the same bytes.
set -eu
. tests/cli/lib.sh
export BATCHLAB_DATA=/nowhere BATCHLAB_REPORTS="$scratch/reports"
fail() {
  echo "$1"
  exit 1
}
work() {
  export BATCHLAB_RUNS="$scratch/$1"
  shift
  exec "$BATCHLAB" work rossmann --preset tiny --synthetic --progress none -j 2 "$@" >"$scratch/out" 2>&1
}
claims() { find "$scratch/$1" -path '*/claim.d/*' -name beat 2>/dev/null | wc -l; }
begin() { # begin STORE options...: a sweep that is training; sets pid. A store that is done has none.
  (work "$@") &
  pid=$!
  while [ "$(claims "$1")" = 0 ]; do
    kill -0 $pid 2>/dev/null || fail "the sweep ended before it was asked to"
    sleep 0.01
  done
}
ends_with() {
  wait $pid && rc=0 || rc=$?
  [ $rc = "$1" ] || { cat "$scratch/out"; fail "$2: exit $rc, not $1"; }
}
nothing_held() {
  [ "$(claims "$1")" = 0 ] || fail "$2: a claim is still held"
  [ -z "$(find "$scratch/$1" -name '*.tmp-*')" ] || fail "$2: temporary files are left"
}

(work one) || fail "the sweep failed"

for signal in TERM USR1 USR2 INT; do
  store=stopped.$signal
  begin $store
  kill -$signal $pid
  ends_with 75 "SIG$signal"
  grep -q 'nothing finished is lost' "$scratch/out" || fail "SIG$signal: no word on how to go on"
  nothing_held $store "SIG$signal"
  find "$scratch/$store" -name 'checkpoint-?' | grep -q . || fail "SIG$signal: nothing was kept"
done
(work stopped.TERM) || fail "the sweep did not go on"
sh tests/same_outputs.sh "$scratch/one" "$scratch/stopped.TERM"

# --time-limit stops by itself. The first step takes a moment on a busy machine: the limit may come early.
(work limited --time-limit 1) && rc=0 || rc=$?
case $rc in
  0) ;; # a machine on which it takes less
  75) nothing_held limited "--time-limit" ;;
  *) fail "--time-limit: exit $rc" ;;
esac

# The second one comes while the first is being obeyed, or too late: then once more.
for try in 1 2 3 4 5 6 7 8 9 10; do
  begin twice.$try
  kill -INT $pid
  while grep -q "^ShdPnd:.*[1-9a-f]" /proc/$pid/status 2>/dev/null; do :; done # delivered
  kill -INT $pid 2>/dev/null || true
  wait $pid && rc=0 || rc=$?
  case $rc in
    130) break ;;
    75) ;;
    *) fail "two SIGINT: exit $rc" ;;
  esac
done
[ $rc = 130 ] || fail "no second SIGINT ended a sweep at once"
(work twice.$try) || fail "the sweep did not go on after two SIGINT"
sh tests/same_outputs.sh "$scratch/one" "$scratch/twice.$try"

# A script that only decides, or only asks for runs of one step, is stopped as well: after a few of its 3,000.
few
export BATCHLAB_RUNS="$scratch/few"
unset BATCHLAB_DATA
for asks in 'exp:note("n" .. i)' 'exp:run{{ batch_size = 16, learning_rate = 0.01, max_steps = 1, seed = i }}'; do
  echo "return function(exp) for i = 1, 3000 do $asks end end" >"$scratch/project/experiments/few/sweep.lua"
  (cd "$scratch/project" && cut_after TERM 5 work few && echo "$status" >"$scratch/cut") || fail "$asks: it was not stopped"
  [ "$(cat "$scratch/cut")" = 75 ] || fail "$asks: exit $(cat "$scratch/cut"), not 75"
  lines=$(wc -l <"$scratch/few/few/plan.jsonl")
  [ "$lines" -lt 1500 ] || fail "$asks: stopped after $lines lines of the plan"
done

# A dry run has nothing to lose: it ends where it is, however long its net takes to measure.
# Its cache is its own: what was measured before would make it short.
BATCHLAB_CACHE="$scratch/cache" "$BATCHLAB" run cifar10 -n --synthetic >"$scratch/out" 2>&1 &
pid=$!
until [ "$(cut -d" " -f14 /proc/$pid/stat)" -ge 20 ]; do # ticks of processor time
  kill -0 $pid 2>/dev/null || fail "run -n was over before it was asked to stop: a longer one is wanted here"
  sleep 0.05
done
kill -TERM $pid
ends_with 143 "SIGTERM in run -n"
