#!/bin/sh
# A whole sweep on generated data: the same logs at any -j, with any kernels, and after being stopped
# at any moment and started again; run again, it trains nothing.
set -eu
. tests/cli/lib.sh

sweep() { # sweep STORE options...: a tiny sweep into its own store
  store=$1
  shift
  BATCHLAB_RUNS="$scratch/$store" BATCHLAB_REPORTS="$scratch/$store.reports" BATCHLAB_DATA=/nowhere \
    "$BATCHLAB" run rossmann --preset tiny --synthetic --set data.rows=6000 --progress plain "$@" >"$scratch/$store.out" 2>"$scratch/$store.err"
}

sweep one -j 1 || { cat "$scratch/one.err"; exit 1; }
grep -q "SYNTHETIC DATA" "$scratch/one.out" || { echo "the answer does not say SYNTHETIC DATA"; cat "$scratch/one.out"; exit 1; }
grep -q "SYNTHETIC DATA" "$scratch/one.reports/rossmann/recommendation.txt"

# The last line says where the processor time went; it may be folded.
tail -n 3 "$scratch/one.err" | sed -n '/^processor time/,$p' | tr -s ' \n' '  ' |
  grep -q '^processor time [0-9.]* s, .*training [0-9.]* s ([0-9]* %)' || { tail -n 3 "$scratch/one.err"; exit 1; }

sweep two -j 2
sh tests/same_outputs.sh "$scratch/one" "$scratch/two"

# Other kernels; tests/unit/train_test.c has them all.
other=$("$BATCHLAB" doctor | awk '$2 == "usable" { print $1 }' | grep -x avx2 || echo scalar)
BL_FORCE_IMPL=$other sweep "$other" -j 2
sh tests/same_outputs.sh "$scratch/one" "$scratch/$other"

# cut SIGNAL STORE "EVENTS...": a sweep that gets the signal after so many events of progress, again and again.
cut() {
  BATCHLAB_RUNS="$scratch/$2" BATCHLAB_REPORTS="$scratch/$2.reports" BATCHLAB_DATA=/nowhere
  export BATCHLAB_RUNS BATCHLAB_REPORTS BATCHLAB_DATA
  cut_again "$1" "$3" run rossmann --preset tiny --synthetic --set data.rows=6000 -j 2
  [ $failed = 0 ] || exit 1
}

# Stopped resumably, then left to finish.
cut TERM stopped "1 40 3 150 17 90"
sweep stopped -j 2
sh tests/same_outputs.sh "$scratch/one" "$scratch/stopped"

# kill -9 loses nothing finished and leaves nothing stale.
cut KILL killed "5 120 60 2"
sweep killed -j 1
sh tests/same_outputs.sh "$scratch/one" "$scratch/killed"

# Again: no file of any run is touched, and the answer has the same bytes.
find "$scratch/one" -name result.json -exec ls --full-time {} + >"$scratch/before"
cp -r "$scratch/one.reports" "$scratch/drawn"
sweep one -j 2
find "$scratch/one" -name result.json -exec ls --full-time {} + | cmp - "$scratch/before"
diff -r "$scratch/drawn" "$scratch/one.reports"

# A damaged log is found, set aside and done again.
log=$(find "$scratch/two" -name log.jsonl.gz | sort | head -1)
printf 'x' | dd of="$log" bs=1 seek=40 conv=notrunc 2>/dev/null
sweep two -j 2
ls -d "$scratch"/two/rossmann/*.corrupt-1 >/dev/null
rm -rf "$scratch"/two/rossmann/*.corrupt-1
sh tests/same_outputs.sh "$scratch/one" "$scratch/two"
