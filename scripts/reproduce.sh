#!/bin/sh
# reproduce.sh NAME [options of verify]: trains the locked runs of an experiment's tiny preset again, with
# one thread and with two, and compares them with experiments/NAME/expected.lock. Ends with the exit status
# of `batchlab verify`: 0 equal, 3 different. `make reproduce` is this, but make has only its own 2 for
# whatever fails. BATCHLAB in the environment is a program to use instead of building one.
set -u
[ $# -gt 0 ] || { echo "usage: sh scripts/reproduce.sh NAME [options of verify]" >&2; exit 2; }
name=$1
shift
[ -n "${BATCHLAB:-}" ] || make --no-print-directory program || exit
status=0
for jobs in 1 2; do
  "${BATCHLAB:-build/batchlab}" verify "$name" --preset tiny -j $jobs "$@"
  last=$?
  [ $last = 0 ] || [ $last = 3 ] || exit $last
  [ $last = 0 ] || status=3
done
exit $status
