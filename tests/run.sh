#!/bin/sh
# run.sh BUILD_DIR TEST...: runs the tests, one more at a time than there are processors, since some of them
# wait for clocks (JOBS=N: N at a time).
#
# A TEST is a cmocka program, a script (*.sh), a fuzz target (*_fuzz.c: its corpus is replayed) or
# bits:COMPILER-OLEVEL (tests/bits.sh) or emulated:families (the kernels of the emulated device, which families_test alone
# leaves out: they take longer than all others). Each ended test prints one line, "[n/total] seconds name (processor
# seconds)", and what failed in it at once. The last line is the total that CI reads: "N passed, N failed, N skipped".
#
# The runner fails on a failed case, on a crash, on a program or corpus that ran nothing, on a test that left files in
# TMPDIR or was not run to its end, and, with BL_REQUIRE_CUDA=1, on a skipped CUDA case.
#
# How it works: xargs starts this script again for each test (--one). The child leaves two files in a folder of
# results, NUMBER with what to show and NUMBER.count with "passed failed skipped", and writes its number to the
# standard output, which is the pipe that the parent reads.

# Refused memory is an outcome of a run, also under the sanitizer; crashes stay the sanitizer's own.
export ASAN_OPTIONS="allocator_may_return_null=1:handle_segv=2:${ASAN_OPTIONS:-}"
# A caller's switches would test something else than what is here.
unset BL_FORCE_IMPL BATCHLAB_RUNS BATCHLAB_REPORTS
# Golden files are compared here and never written: that is `make golden-update`.
unset BL_GOLDEN_UPDATE

# The functions run one test: they leave "passed failed skipped" in $out.count and print what to show.

program() { # PROGRAM [ARGUMENT...], a cmocka one: every case counts
  CMOCKA_MESSAGE_OUTPUT=TAP "$@" >"$out.log" 2>&1
  rc=$?
  # cmocka 1.1.5 writes a skip as "not ok N # SKIP name"
  s=$(grep -c '^not ok .*# SKIP' "$out.log")
  f=$(($(grep -c '^not ok ' "$out.log") - s))
  p=$(grep -c '^ok ' "$out.log")
  [ "$rc" -ne 0 ] && [ "$f" -eq 0 ] && { f=1; echo "CRASH $1 (exit $rc)"; tail -20 "$out.log"; }
  [ $((p + f + s)) -eq 0 ] && { f=1; echo "EMPTY $1 ran no test"; }
  if [ "${BL_REQUIRE_CUDA:-0}" = 1 ] && grep -q '^not ok .*# SKIP.*cuda' "$out.log"; then
    f=$((f + 1)); echo "NO CUDA $1 skipped cuda cases although BL_REQUIRE_CUDA=1"
  fi
  [ "$f" -gt 0 ] && { echo "FAILED $1"; grep -E '^not ok|^# |ERROR|SUMMARY' "$out.log" | grep -v '# SKIP' | head -40; }
  echo "$p $f $s" >"$out.count"
}

corpus() { # TARGET, a fuzz target: replaying its corpus is one case; it fails if there is no file
  if "$build/tests/fuzz/$1_fuzz" tests/fuzz/corpus/"$1"/* >"$out.log" 2>&1; then echo 1 0 0 >"$out.count"
  else echo 0 1 0 >"$out.count"; echo "FAILED fuzz corpus $1"; tail -20 "$out.log"; fi
}

script() { # SCRIPT [ARGUMENT]: one case, exit 0 passes, 77 skips; a line "SKIPPED ..." of one that passes: a part is skipped
  BATCHLAB="$PWD/$build/batchlab" sh "$@" >"$out.log" 2>&1
  rc=$?
  case $rc in
    0) echo "1 0 $(grep -c '^SKIPPED ' "$out.log")" >"$out.count"; grep '^SKIPPED ' "$out.log" ;;
    77) echo 0 0 1 >"$out.count"; echo "SKIPPED $*: $(tail -1 "$out.log")" ;;
    *) echo 0 1 0 >"$out.count"; echo "FAILED $* (exit $rc)"; tail -30 "$out.log" ;;
  esac
}

tidy() { # TEST: one that leaves files in TMPDIR has failed
  left=$(ls -A "$out.tmp")
  [ -z "$left" ] && return
  echo "FAILED $1 left in TMPDIR:" $left
  read -r p f s <"$out.count" && echo "$p $((f + 1)) $s" >"$out.count"
}

if [ "$1" = --one ]; then # --one BUILD_DIR FOLDER NUMBER KIND TEST [ARGUMENT]
  build=$2 out=$3/$4 number=$4
  began=$(date +%s)
  shift 4
  mkdir "$out.tmp"
  TMPDIR="$out.tmp" "$@" >"$out" 2>&1
  tidy "$2" >>"$out"
  shift
  # "1m2.3s 0m0.4s", user and system, in the second line: those of the shell's children (and not of a pipe's)
  times >"$out.times"
  used=$(awk -F '[ms ]+' 'NR == 2 { printf "%.0f", 60 * ($1 + $3) + $2 + $4 }' "$out.times")
  echo "$number $(($(date +%s) - began)) $used $*"
  exit 0
fi

build=$1
shift
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
# What takes longest first, so that nothing is waited for at the end.
for t in "$@"; do
  case $t in
    bits:*) echo "1 script tests/bits.sh ${t#bits:}" ;;
    emulated:families) echo "1 program $build/tests/kernels/families_test cuda*" ;;
    */families_test) echo "2 program $t !cuda/*" ;;
    # Kills and crowds reach the code of the other parts again, which is all that a sanitizer looks at.
    */asan/*/crash) echo "2 program $t imports faults allocations corruption disk scripts" ;;
    */device_gradient_test | */crash) echo "2 program $t" ;;
    *.sh | */device_test | */experiments_test) case $t in *.sh) echo "3 script $t" ;; *) echo "3 program $t" ;; esac ;;
    *_fuzz.c) echo "5 corpus $(basename "$t" _fuzz.c)" ;;
    *) echo "4 program $t" ;;
  esac
done | sort -s -k 1,1 | awk '{ $1 = NR; print }' >"$results/list"
total=$(wc -l <"$results/list")

xargs -r -P "${JOBS:-$(($(nproc) + 1))}" -L 1 sh "$0" --one "$build" "$results" <"$results/list" | {
  ended=0
  while read -r number seconds used test; do
    ended=$((ended + 1))
    printf '[%*d/%d] %3d s  %s (%d s)\n' ${#total} $ended "$total" "$seconds" "$test" "$used"
    cat "$results/$number"
  done
}

pass=0 fail=0 skip=0 bad=
while read -r number _ test; do
  if read -r p f s <"$results/$number.count"; then pass=$((pass + p)) fail=$((fail + f)) skip=$((skip + s))
  else f=1 fail=$((fail + 1)); echo "FAILED $test was not run to its end"; fi
  [ "$f" -eq 0 ] || bad="$bad $test"
done <"$results/list" 2>/dev/null
[ $((pass + fail)) -gt 0 ] || { echo "no test ran"; fail=1; }
[ -z "$bad" ] || echo "with failures:$bad"
echo "$pass passed, $fail failed, $skip skipped"
[ "$fail" -eq 0 ]
