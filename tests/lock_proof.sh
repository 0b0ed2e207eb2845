#!/bin/sh
# lock_proof.sh OLD NEW: shows, run by run, that two locks hold the same trajectories under other ids.
# OLD and NEW are lock files, or folders with a NAME/expected.lock each. A run is found again by what it
# was locked for: its steps and every step:hash of the losses on the way. The log's SHA-256 and the id may
# differ; nothing else may, and no run may be missing or new. With -v every pair of ids is printed.
# Example, after `git archive OLD_COMMIT experiments | tar x -C /tmp/before`:
#   sh tests/lock_proof.sh /tmp/before/experiments experiments
# Parameters are not in a lock but in its logs: `batchlab verify`, which trains every run again and
# compares the log's SHA-256, is what holds them to the lock.
verbose=0
[ "${1:-}" = -v ] && { verbose=1; shift; }
[ $# = 2 ] || { echo "usage: sh tests/lock_proof.sh [-v] OLD NEW" >&2; exit 2; }

# "ID STEPS MARKS..." of every run, by what it was locked for.
rows() {
  grep -v '^#' "$1" | awk '{ key = $2; for (i = 4; i <= NF; i++) key = key " " $i; print key "\t" $1 }' | LC_ALL=C sort
}
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
tab=$(printf '\t')
bad=0
compare() {
  rows "$2" >"$tmp/old" && rows "$3" >"$tmp/new"
  cut -f1 "$tmp/old" >"$tmp/old.key"
  cut -f1 "$tmp/new" >"$tmp/new.key"
  same=$(LC_ALL=C comm -12 "$tmp/old.key" "$tmp/new.key" | wc -l)
  gone=$(LC_ALL=C comm -23 "$tmp/old.key" "$tmp/new.key" | wc -l)
  more=$(LC_ALL=C comm -13 "$tmp/old.key" "$tmp/new.key" | wc -l)
  echo "$1: $same runs with equal steps and hashes, $gone missing, $more new"
  [ $gone = 0 ] && [ $more = 0 ] && [ $same -gt 0 ] || bad=1
  [ $verbose = 0 ] || paste "$tmp/old" "$tmp/new" | awk -F"$tab" '{ print "  " $2 " -> " $4 "  " $1 }'
}
if [ -d "$1" ]; then
  for lock in "$1"/*/expected.lock; do
    name=$(basename "$(dirname "$lock")")
    if [ -f "$2/$name/expected.lock" ]; then compare "$name" "$lock" "$2/$name/expected.lock"
    else echo "$name: no lock in $2"; bad=1; fi
  done
else
  compare "$(basename "$2")" "$1" "$2"
fi
exit $bad
