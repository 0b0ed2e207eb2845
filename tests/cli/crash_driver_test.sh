#!/bin/sh
# The crash driver can fail: in a folder that is no repository every part says so, one at a time and two.
set -u
. tests/cli/lib.sh
driver=$(dirname "$BATCHLAB")/tests/crash/crash
[ -x "$driver" ] || { echo "no $driver here"; exit 77; }
cd "$scratch" && mkdir tmp || exit 1
export TMPDIR="$scratch/tmp"
for lanes in 1 2; do
  "$driver" --full -j $lanes >out 2>err
  same $? 1 "exit status with -j $lanes"
  same "$(grep -c '^not ok ' out) $(grep -c '^ok ' out)" "9 0" "parts that failed and passed with -j $lanes"
done
exit $failed
