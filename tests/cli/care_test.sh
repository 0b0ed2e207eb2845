#!/bin/sh
# fsck and gc: damage is named and set aside, a following run does it again to equal bytes, and what
# is removed costs no result.
set -u
. tests/cli/lib.sh
export BATCHLAB_DATA=/nowhere BATCHLAB_RUNS="$scratch/runs" BATCHLAB_REPORTS="$scratch/reports"

sums() { (cd "$1" && find . -type f ! -name 'timing*' ! -name result.json ! -name index.csv -exec sha256sum {} + | sort -k2); }
tiny() {
  "$BATCHLAB" run rossmann --preset tiny --synthetic --progress none >/dev/null 2>"$scratch/err"
  case $? in 0 | 5) ;; *) cat "$scratch/err"; exit 1 ;; esac
}

try 0 fsck
try 2 fsck rossmann
try 0 gc
tiny
store=$BATCHLAB_RUNS/rossmann
runs=$(ls "$store" | grep -cx 'r[0-9a-f]\{12\}')
sums "$store" >"$scratch/whole"
try 0 fsck
says err "^$runs runs read: 0 damaged files, 0 leftovers, 0 set aside before"

# One damage of every kind; looking names each and changes nothing.
set -- $(ls "$store" | grep -x 'r[0-9a-f]\{12\}')
printf '\377' | dd of="$store/$1/log.jsonl.gz" bs=1 seek=9 conv=notrunc 2>/dev/null # gzip's OS byte
sed -i 's/"seconds":/"sec0nds":/' "$store/$2/result.json"
sed -i 's/dataset/datasex/' "$store/$3/run.json"
truncate -s -1 "$store/$4/checkpoint-A" 2>/dev/null || truncate -s -1 "$store/$4/checkpoint-B"
rm "$store/$5/log.jsonl.gz"
sums "$store" >"$scratch/before"
# Of these five, two have no whole result any more: status looks no further.
try 0 status rossmann
says out "^rossmann  *$((runs - 2)) done  *0 running  *0 interrupted  *2 damaged (see batchlab fsck)$"
try 4 fsck rossmann
says out "^[^ ]*$1/log.jsonl.gz: \|^[^ ]*$1/result.json: the packed log is not the published file"
says out "^[^ ]*$2/result.json: its bytes are not those that were written"
says out "^[^ ]*$3/run.json: its digest is not the run's id"
says out "^[^ ]*$4/checkpoint-[AB]: damaged checkpoint"
says out "^[^ ]*$5/result.json: its log is gone"
says err "^$runs runs read: 5 damaged files"
try 4 fsck --json
[ "$(grep -c '^{"kind":"damage","path":".*","what":".*","done":""}$' "$scratch/out")" = 5 ] || { echo "--- json"; cat "$scratch/out"; failed=1; }
"$BATCHLAB" plan rossmann --preset tiny --synthetic >"$scratch/out" 2>&1
says out "[0-9a-f] damaged  "
sums "$store" | cmp - "$scratch/before" || { echo "--- looking changed files"; failed=1; }

# Each run is counted once, by what its files say.
mkdir -p "$store/r00000000000a/claim.d/elsewhere-1-1-abcd" "$store/r00000000000b" "$store/r00000000000c.corrupt-1"
touch "$store/r00000000000a/claim.d/elsewhere-1-1-abcd/beat" "$store/r00000000000b/log.jsonl.part"
try 0 status rossmann --json
says out "\"done\":$((runs - 2)),\"running\":1,\"interrupted\":1,\"failed\":0,\"damaged\":2,\"set_aside\":1}"
try 0 status
says out "^rossmann  *$((runs - 2)) done  *1 running  *1 interrupted  *2 damaged (see batchlab fsck)  *1 set aside as damaged"
rm -r "$store/r00000000000a" "$store/r00000000000b" "$store/r00000000000c.corrupt-1"

# Set aside, done again to equal bytes, cleaned.
try 4 fsck --repair
says out "$2/result.json: its bytes .* (the run was set aside; the next run does it again)"
says out "$4/checkpoint-.: damaged checkpoint (the file was set aside)"
grep -q -- --repair "$scratch/err" && { echo "--- what is repaired is advised again"; failed=1; }
try 0 fsck
says err "0 damaged files, 0 leftovers, 5 set aside before"
tiny
(cd "$store" && ls -d ./*.corrupt-1 ./*/*.corrupt-1 | wc -l) | grep -qx 5 || { echo "--- set aside:"; ls "$store"; failed=1; }
try 0 gc -n
says out "  5  set aside as damaged"
says out "would be removed"
(cd "$store" && ls -d ./*.corrupt-1 ./*/*.corrupt-1 | wc -l) | grep -qx 5 || { echo "--- gc -n removed"; failed=1; }
try 0 gc
grep -v checkpoint "$scratch/whole" >"$scratch/kept"
sums "$store" | cmp - "$scratch/kept" || { echo "--- gc, repair and run do not come back to the same store"; failed=1; }
try 0 gc rossmann
says out "^ *0.00 KiB  removed"

# Scratch folders of commands that were killed: not those in which something changed within the hour.
mkdir -p "$BATCHLAB_RUNS/.verify-old000/rossmann" "$BATCHLAB_RUNS/.bundle-old000" "$BATCHLAB_RUNS/.verify-young0/rossmann" "$BATCHLAB_RUNS/.other-old000"
head -c 2048 /dev/zero >"$BATCHLAB_RUNS/.verify-old000/rossmann/log"
touch "$BATCHLAB_RUNS/.verify-young0/rossmann/beat"
touch -d @1000000000 "$BATCHLAB_RUNS"/.*-old000/* "$BATCHLAB_RUNS"/.*-old000 "$BATCHLAB_RUNS/.verify-old000/rossmann/log" "$BATCHLAB_RUNS/.verify-young0" "$BATCHLAB_RUNS/.verify-young0/rossmann" 2>/dev/null
try 0 gc -n
says out "^ *2.00 KiB  *2  left behind by dead writers"
[ "$(ls -A "$BATCHLAB_RUNS" | grep -c '^\.')" = 4 ] || { echo "--- gc -n removed scratch"; failed=1; }
try 0 gc
[ "$(ls -A "$BATCHLAB_RUNS" | grep '^\.' | tr '\n' ' ')" = ".other-old000 .verify-young0 " ] || { echo "--- scratch left:"; ls -A "$BATCHLAB_RUNS"; failed=1; }
rm -r "$BATCHLAB_RUNS"/.other-old000 "$BATCHLAB_RUNS"/.verify-young0

# A finished sweep without its checkpoints is still finished.
find "$store" -name result.json -exec ls --full-time {} + >"$scratch/before"
tiny
find "$store" -name result.json -exec ls --full-time {} + | cmp - "$scratch/before" || failed=1

# Runs of no plan go only when asked for: the plan on disk, every preset's and the lock's stay.
"$BATCHLAB" run rossmann --preset tiny --synthetic --set train.seed=7 --progress none >/dev/null 2>&1
more=$(ls "$store" | grep -cx 'r[0-9a-f]\{12\}')
[ "$more" -gt "$runs" ] || { echo "--- no further run"; failed=1; }
try 0 gc --unplanned
[ "$(ls "$store" | grep -cx 'r[0-9a-f]\{12\}')" = "$more" ] || { echo "--- planned runs were removed"; cat "$scratch/out"; failed=1; }
rm "$store/plan.jsonl"
try 0 gc -n --unplanned
says out "  [0-9]*  runs that are in no plan"
try 0 gc --unplanned
[ "$(ls "$store" | grep -cx 'r[0-9a-f]\{12\}')" = "$runs" ] || { echo "--- unplanned: $(ls "$store" | grep -cx 'r[0-9a-f]\{12\}') of $more runs left, wanted $runs"; failed=1; }
exit $failed
