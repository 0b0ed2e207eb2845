#!/bin/sh
# What stands around the program: make refuses a setting that it would ignore, scripts/setup.sh names what is missing,
# and tests/run.sh counts every kind of verdict and shows a failure at once.
set -u
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL BUILD
failed=0
why() { echo "$1:"; sed 's/^/  /' "$scratch/out"; failed=1; }

# make VARIABLE in small letters.
make -n experiment name=tiny >"$scratch/out" 2>&1
[ $? = 2 ] || why "make experiment name=tiny is not refused"
grep -q "unknown setting 'name'; settings are in capitals: NAME=" "$scratch/out" || why "the hint NAME= is missing"
make -n experiment NAME=tiny >"$scratch/out" 2>&1 || why "make experiment NAME=tiny"
grep -q 'batchlab run tiny' "$scratch/out" || why "NAME=tiny is not passed on"

# T chooses by words of the path.
make -n check T='unit/base_test cli/look' >"$scratch/out" 2>&1
grep -Eq 'run.sh build/release +tests/cli/look_test.sh +build/release/tests/unit/base_test *$' "$scratch/out" ||
  why "T='unit/base_test cli/look' chooses other tests"

# A machine for a user without sudo, without a C++ compiler: the line to run names it.
mkdir "$scratch/bin"
for tool in sh grep sed mktemp rm cc gcc pkg-config gnuplot as ld env date dirname; do
  found=$(command -v $tool) && ln -s "$found" "$scratch/bin/$tool"
done
printf '#!/bin/sh\necho 1000\n' >"$scratch/bin/id"
printf '#!/bin/sh\nexit 1\n' >"$scratch/bin/apt-get"
chmod +x "$scratch/bin/id" "$scratch/bin/apt-get"
PATH="$scratch/bin" sh scripts/setup.sh test >"$scratch/out" 2>&1
[ $? = 69 ] || why "setup.sh test without a C++ compiler does not end with 69"
grep -Eq '^  apt-get update && apt-get install -y --no-install-recommends ([^ ]+ )*g\+\+( |$)' "$scratch/out" ||
  why "setup.sh test does not name g++"

# What cannot be done here is said and counted in one form, the runner's.
PATH="$scratch/bin" sh tests/fresh.sh >"$scratch/out" 2>&1 || why "fresh.sh fails where it can do nothing"
grep -qx 'SKIPPED bare machines: only root can make a bare machine' "$scratch/out" || why "fresh.sh does not say what it skips"
[ "$(tail -1 "$scratch/out")" = "0 passed, 0 failed, 8 skipped" ] || why "fresh.sh does not count what it skips"
make -n test-ptx NVCC= >"$scratch/out" 2>&1
grep -q 'echo "SKIPPED test-ptx: there is no nvcc"; echo "0 passed, 0 failed, 1 skipped"$' "$scratch/out" ||
  why "test-ptx does not count what it skips"
make -n test-slurm >"$scratch/out" 2>&1
grep -q 'sh tests/run.sh build/release tests/slurm/slurm_test.sh tests/slurm/srun_test.sh$' "$scratch/out" ||
  why "the runner does not count test-slurm"
mkdir -p "$scratch/tree/.ci" && cp .ci/run "$scratch/tree/.ci/"
printf 'layers:\n\t@: sound\n' >"$scratch/tree/Makefile"
for tool in bash make tee awk cat tail; do ln -sf "$(command -v $tool)" "$scratch/bin/$tool"; done
PATH="$scratch/bin" "$scratch/bin/bash" "$scratch/tree/.ci/run" layers >"$scratch/out" 2>&1 || why "the stage layers fails"
grep -q '^SKIPPED the form of the C text: there is no clang-format-14$' "$scratch/out" || why "a missing clang-format is not told"
[ "$(tail -1 "$scratch/out")" = "0 passed, 0 failed, 1 skipped" ] || why "a missing clang-format is not counted"

# The runner: a pass, a failure and a skip, and programs that crash or run nothing.
printf 'exit 0\n' >"$scratch/good.sh"
printf 'echo reason of failure; exit 1\n' >"$scratch/bad.sh"
printf 'echo not here; exit 77\n' >"$scratch/skip.sh"
printf 'echo; echo "SKIPPED a part: no tool for it"; exit 0\n' >"$scratch/part.sh"
printf '#!/bin/sh\nkill -SEGV $$\n' >"$scratch/crash"
printf '#!/bin/sh\nexit 0\n' >"$scratch/empty"
chmod +x "$scratch/crash" "$scratch/empty"
JOBS=1 sh tests/run.sh build/release "$scratch/good.sh" "$scratch/bad.sh" "$scratch/skip.sh" "$scratch/crash" \
  "$scratch/empty" >"$scratch/out" 2>&1
[ $? = 1 ] || why "run.sh passes although a test fails"
[ "$(tail -1 "$scratch/out")" = "1 passed, 3 failed, 1 skipped" ] || why "run.sh counts otherwise"
grep -q '^\[5/5\]  *[0-9]* s  .*empty ([0-9]* s)$' "$scratch/out" || why "run.sh does not say [n/total], seconds, test and processor seconds"
grep -q "^SKIPPED .*skip.sh: not here" "$scratch/out" || why "run.sh does not say what it skipped"
grep -q "^CRASH .*crash" "$scratch/out" || why "run.sh takes a crash for a pass"
grep -q "^EMPTY .*empty ran no test" "$scratch/out" || why "run.sh takes nothing for a pass"
# At once: the reason stands before the next test's line.
awk '/^\[.*bad.sh \([0-9]+ s\)$/ { bad = NR } /reason of failure/ { reason = NR } /^\[.*skip.sh \([0-9]+ s\)$/ { skip = NR }
     END { exit !(bad < reason && reason < skip) }' "$scratch/out" || why "the failure is not shown at once"
JOBS=1 sh tests/run.sh build/release "$scratch/good.sh" "$scratch/part.sh" >"$scratch/out" 2>&1 || why "run.sh fails although all pass"
[ "$(tail -1 "$scratch/out")" = "2 passed, 0 failed, 1 skipped" ] || why "run.sh does not count a skipped part"
grep -q "^SKIPPED a part: no tool for it" "$scratch/out" || why "run.sh does not say which part it skipped"
sh tests/run.sh build/release >"$scratch/out" 2>&1 && why "run.sh passes without a test"
# What a caller has set would test something else.
printf 'exit "${BL_GOLDEN_UPDATE:-0}${BL_FORCE_IMPL:-}${BATCHLAB_RUNS:-}${BATCHLAB_REPORTS:-}"\n' >"$scratch/unset.sh"
for name in BL_GOLDEN_UPDATE BL_FORCE_IMPL BATCHLAB_RUNS BATCHLAB_REPORTS; do
  env $name=1 sh tests/run.sh build/release "$scratch/unset.sh" >"$scratch/out" 2>&1 || why "run.sh leaves $name set"
done
exit $failed
