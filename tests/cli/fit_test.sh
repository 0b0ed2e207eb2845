#!/bin/sh
# batchlab fit: the answer in words, as JSON, and the exit status of each way it can end.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0
fail() { echo "fit: $*"; bad=1; }

# S = 200 (1 + 1000 / B), exactly.
printf '%s\n' batch_size,steps 40,5200 80,2700 160,1450 400,700 1000,400 2500,280 8000,225 \
  20000,210 > "$dir/exact.csv"
"$BATCHLAB" fit "$dir/exact.csv" > "$dir/out" 2> "$dir/err" || fail "exit $? on an exact hyperbola"
grep -q '^the curve misses by 0 % at most; too few runs are repeated to test it$' "$dir/out" || fail "verdict"
grep -q 'critical (E_min / S_min) *1000 (1000 to 1000)$' "$dir/out" || fail "B_crit"
grep -q '20 % more steps than perfect scaling *200 (200 to 200)$' "$dir/out" || fail "20 % overhead"
grep -q 'maximum useful (steps within 10 % of S_min) *10000 (10000 to 10000)$' "$dir/out" || fail "useful"
[ -s "$dir/err" ] && fail "chatter on stderr"

"$BATCHLAB" fit --json "$dir/exact.csv" > "$dir/json" || fail "exit $? with --json"
[ "$(wc -l < "$dir/json")" = 1 ] || fail "JSON is not one line"
for key in curve p rms f_test hyperbola s_min b_crit worst_deviation fits segments critical efficiency_50 overhead_20 \
  perfect_scaling_end max_useful; do
  grep -q "\"$key\":" "$dir/json" || fail "JSON lacks $key"
done
grep -q '"b_crit":{"value":1000,' "$dir/json" || fail "JSON b_crit"
"$BATCHLAB" fit --json "$dir/exact.csv" | cmp -s - "$dir/json" || fail "a second run differs"

# Golden files: the exact curves, censored runs, one seed. The same bytes with the C library's other exp and log.
n=0
for csv in tests/golden/fit_*.csv; do
  "$BATCHLAB" fit --json "$csv" | cmp - "${csv%.csv}.json" || fail "$csv"
  GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-AVX2 "$BATCHLAB" fit --json "$csv" | cmp - "${csv%.csv}.json" ||
    fail "$csv without fused operations"
  n=$((n + 1))
done
[ $n -ge 4 ] || fail "$n golden files"

status() { # status EXPECTED ARGS...
  want=$1
  shift
  "$BATCHLAB" fit "$@" > "$dir/out" 2> "$dir/err"
  got=$?
  [ "$got" = "$want" ] || fail "exit $got, not $want: fit $*"
}
status 0 --help
grep -q '^usage: batchlab fit' "$dir/out" || fail "help goes to stdout"
status 2
status 2 --jsn "$dir/exact.csv"
grep -q "^batchlab: unknown option '--jsn': did you mean '--json'" "$dir/err" || fail "unknown option"
status 2 "$dir/exact.csv" "$dir/exact.csv"
printf 'batch_size,steps\n32,many\n' > "$dir/bad.csv"
status 2 "$dir/bad.csv"
[ "$(cat "$dir/err")" = "batchlab fit: $dir/bad.csv:2: steps is 'many', which is no number" ] ||
  fail "file and line: $(cat "$dir/err")"
[ -s "$dir/out" ] && fail "output for a bad table"
printf 'batch_size,steps\n32,100\n' > "$dir/one.csv"
status 5 "$dir/one.csv"
grep -q '^too little data: 1 batch size reached the target' "$dir/out" || fail "too little data"
status 74 "$dir/missing.csv"
exit $bad
