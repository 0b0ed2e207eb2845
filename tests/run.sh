#!/bin/sh
# Runs the tests: run.sh BUILD_DIR PROGRAM...   Shows what failed and ends with the one total that CI reads.
# Fails on a failed case, a crash, a program or corpus that ran nothing, and, with BL_REQUIRE_CUDA=1,
# on a skipped CUDA case.
build=$1
shift
pass=0 fail=0 skip=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A caller's switches would test something else than what is here.
unset BL_FORCE_IMPL BATCHLAB_RUNS BATCHLAB_REPORTS
# Memory that is not to be had is an outcome of a run, also under the sanitizer; crashes stay its own.
export ASAN_OPTIONS="allocator_may_return_null=1:handle_segv=2:${ASAN_OPTIONS:-}"

for t in "$@"; do
  CMOCKA_MESSAGE_OUTPUT=TAP "$t" >"$log" 2>&1
  rc=$?
  # cmocka 1.1.5 writes a skip as "not ok N # SKIP name"
  s=$(grep -c '^not ok .*# SKIP' "$log")
  f=$(($(grep -c '^not ok ' "$log") - s))
  p=$(grep -c '^ok ' "$log")
  [ "$rc" -ne 0 ] && [ "$f" -eq 0 ] && { f=1; echo "CRASH $t (exit $rc)"; tail -20 "$log"; }
  [ $((p + f + s)) -eq 0 ] && { f=1; echo "EMPTY $t ran no test"; }
  if [ "${BL_REQUIRE_CUDA:-0}" = 1 ] && grep -q '^not ok .*# SKIP.*cuda' "$log"; then
    f=$((f + 1)); echo "NO CUDA $t skipped cuda cases although BL_REQUIRE_CUDA=1"
  fi
  [ "$f" -gt 0 ] && { echo "FAILED $t"; grep -E '^not ok|^# |ERROR|SUMMARY' "$log" | grep -v '# SKIP' | head -40; }
  pass=$((pass + p)) fail=$((fail + f)) skip=$((skip + s))
done

# Every fuzz target replays its corpus; one that found no file fails.
for src in tests/fuzz/*_fuzz.c; do
  [ -e "$src" ] || continue
  n=$(basename "$src" _fuzz.c)
  if "$build/tests/fuzz/${n}_fuzz" tests/fuzz/corpus/"$n"/* >"$log" 2>&1; then pass=$((pass + 1))
  else fail=$((fail + 1)); echo "FAILED fuzz corpus $n"; tail -20 "$log"; fi
done

# Shell tests: each is one case, exit 0 passes, 77 skips.
for t in tests/cli/*_test.sh; do
  [ -e "$t" ] || continue
  BATCHLAB="$PWD/$build/batchlab" sh "$t" >"$log" 2>&1
  rc=$?
  case $rc in
    0) pass=$((pass + 1)) ;;
    77) skip=$((skip + 1)); echo "SKIPPED $t: $(tail -1 "$log")" ;;
    *) fail=$((fail + 1)); echo "FAILED $t (exit $rc)"; tail -30 "$log" ;;
  esac
done

[ $((pass + fail)) -gt 0 ] || { echo "no test ran"; fail=1; }
echo "$pass passed, $fail failed, $skip skipped"
[ "$fail" -eq 0 ]
