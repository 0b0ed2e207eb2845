#!/bin/sh
# bundle: equal stores give equal bytes, any tar reads it, and the commands work inside of it.
set -u
. tests/cli/lib.sh
export BATCHLAB_CACHE="${BATCHLAB_CACHE:-$PWD/datasets/cache}" BATCHLAB_DATA=/nowhere
unset BATCHLAB_RUNS BATCHLAB_REPORTS

BATCHLAB_RUNS="$scratch/none" try 2 bundle rossmann
try 2 bundle
for jobs in 1 2; do
  export BATCHLAB_RUNS="$scratch/$jobs" BATCHLAB_REPORTS="$scratch/$jobs.reports"
  "$BATCHLAB" run rossmann --preset tiny --synthetic -j $jobs --progress none >/dev/null 2>"$scratch/err"
  [ $? = 0 ] || [ $? = 5 ] || { cat "$scratch/err"; exit 1; }
  try 0 bundle rossmann -o "$scratch/$jobs.tar.gz"
  done
[ "$(ls -A "$BATCHLAB_RUNS")" = rossmann ] || { echo "--- scratch was left behind"; failed=1; }
runs=$(ls "$scratch/2/rossmann" | grep -cx 'r[0-9a-f]\{12\}')
says out "2.tar.gz: $runs runs, [0-9]* files"
try 0 bundle rossmann --with-timing -o "$scratch/timing.tar"
cmp "$scratch/1.tar.gz" "$scratch/2.tar.gz" || failed=1
# To standard output: the archive alone, through a pipe as well as into a file.
"$BATCHLAB" bundle rossmann -o /dev/stdout 2>"$scratch/err" | cmp - "$scratch/2.tar.gz" || failed=1
says err "stdout: $runs runs, [0-9]* files"
"$BATCHLAB" bundle rossmann -o /dev/stdout 2>"$scratch/err" >"$scratch/redirected"
cmp "$scratch/redirected" "$scratch/2.tar.gz" || failed=1
says err "stdout: $runs runs, [0-9]* files"

# Any tar reads it: plain files of nobody, without a clock, in order; the sums hold.
mkdir "$scratch/unpacked" && cd "$scratch/unpacked" || exit 1
TZ=UTC tar tvzf "$scratch/1.tar.gz" >"$scratch/list" || failed=1
grep -v '^-rw-r--r-- 0/0 .* 1970-01-01 00:00 rossmann/' "$scratch/list" && failed=1
tar xzf "$scratch/1.tar.gz" && cd rossmann && sha256sum -c --quiet SHA256SUMS || failed=1
[ "$(wc -l <SHA256SUMS)" = "$(find . -type f ! -name SHA256SUMS | wc -l)" ] || { echo "--- not every file has its sum"; failed=1; }
grep -rlE 'finished|avx|/tmp/' runs && { echo "--- something of this machine is in the bundle"; failed=1; }
for file in timing.json timing.jsonl.gz; do
  tar tf "$scratch/timing.tar" | grep -q "/$file\$" || { echo "--- --with-timing has no $file"; failed=1; }
done
tar xOf "$scratch/timing.tar" | grep -q '"finished":' || { echo "--- --with-timing has no environment"; failed=1; }

# It is a project: sound, drawable to the same bytes, verifiable, and a sweep finds all of it done.
unset BATCHLAB_RUNS BATCHLAB_REPORTS
try 0 fsck
cp -r reports/rossmann/tiny "$scratch/drawn"
"$BATCHLAB" report rossmann >/dev/null 2>"$scratch/err"
# (In a PDF is a clock, which only a helper in the build folder can hold. The note of what was drawn is not bundled.)
diff -r -x "*.pdf" -x .drawn-from reports/rossmann/tiny "$scratch/drawn" || { cat "$scratch/err"; failed=1; }
try 0 verify rossmann --preset tiny --synthetic --sample 2
says out ": 2 runs equal, 0 differ"
try 0 plan rossmann --preset tiny --synthetic
says out "the sweep is complete"

# A result of format 1 had no seal and any white space: it travels, without what tells of the machine.
export BATCHLAB_RUNS="$scratch/1"
result=$(ls -d "$BATCHLAB_RUNS"/rossmann/*/result.json | head -1)
printf '%s}\n' "$(sed '$d' "$result" | tr -d '\n' | sed 's/"format":2/"format" : 1/; s/,$//; s/, "environment":{/,\t"environment" : {/')" \
  >"$scratch/result"
mv "$scratch/result" "$result"
grep -q '"format" : 1,.*	"environment" : {"impl"' "$result" || { echo "--- the case is not what it should be"; failed=1; }
try 0 fsck
try 0 bundle rossmann -o "$scratch/first.tar"
run=$(basename "$(dirname "$result")")
tar xOf "$scratch/first.tar" --wildcards "*/$run/result.json" | grep -q '"environment":{}}$' || { echo "--- format 1 tells of the machine"; failed=1; }

# Damage does not travel.
export BATCHLAB_RUNS="$scratch/2"
log=$(ls -d "$BATCHLAB_RUNS"/rossmann/*/log.jsonl.gz | head -1)
truncate -s -1 "$log"
rm -f "$scratch/2.tar.gz"
try 4 bundle rossmann -o "$scratch/2.tar.gz"
says err "it is cut short"
[ ! -e "$scratch/2.tar.gz" ] || { echo "--- a damaged bundle was written"; failed=1; }
[ "$(ls -A "$BATCHLAB_RUNS")" = rossmann ] || { echo "--- scratch was left behind"; failed=1; }
exit $failed
