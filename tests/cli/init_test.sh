#!/bin/sh
# batchlab init: a table becomes a data set and an experiment that `check` accepts and `run` trains.
set -u
root=$PWD
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0
fail() { echo "init: $*"; bad=1; }

mkdir "$dir/datasets" "$dir/experiments" "$dir/tables"
ln -s "$root/scripts" "$root/reports" "$dir/"
cd "$dir" || exit 1
awk 'BEGIN { print "day,shop,size,sales"
  for (i = 0; i < 2000; i++) printf "2020-%02d-%02d,%d,%d,%d\n", i / 168 + 1, i % 168 / 6 + 1, i % 6 + 1,
    (i * 7919) % 1000, 20 + (i % 6) * 15 + (i * 7919) % 1000 / 20 }' > tables/sales.csv

"$BATCHLAB" init tables/sales.csv --target sales > out 2> err || fail "exit $?: $(cat err)"
for f in datasets/sales.cfg experiments/sales/experiment.cfg experiments/sales/sweep.lua experiments/sales/README.md; do
  [ -s "$f" ] || fail "no $f"
  grep -qx "$f" out || fail "$f is not listed"
done
sed 1,2d "$root/experiments/accumulation/sweep.lua" > want
sed '1,2d; /exp:note/d' experiments/sales/sweep.lua | cmp -s - want || fail "another sweep than accumulation's"
"$BATCHLAB" check sales > out 2> err || fail "check refuses it: $(cat err)"
grep -q '^sales: fine. Preset quick, ' out || fail "check says: $(cat out)"
"$BATCHLAB" run sales --preset tiny --progress none > out 2> err
case $? in 0 | 5) ;; *) fail "run fails: $(tail -3 err)" ;; esac
grep -q '^without a net: .* for always the same answer, .* by least squares' reports/sales/tiny/recommendation.txt ||
  fail "the report does not say where the baselines are"

# Row numbers without a name are no reason to refuse a table; an experiment needs no presets.
awk '{ print (NR > 1 ? NR - 2 : "") "," $0 }' tables/sales.csv > tables/pandas.csv
"$BATCHLAB" init tables/pandas.csv --target sales > out 2> err || fail "a column without a name: $(cat err)"
sed '/^presets/,$d' experiments/pandas/experiment.cfg > cfg && cp cfg experiments/pandas/experiment.cfg
"$BATCHLAB" check pandas > out 2> err
grep -Eq '^pandas: fine. [0-9]+ batch sizes, ' out || fail "without presets check says: $(cat out err)"

status() { # status EXPECTED MESSAGE ARGS...
  want=$1 message=$2
  shift 2
  "$BATCHLAB" init "$@" > out 2> err
  got=$?
  [ "$got" = "$want" ] || fail "exit $got, not $want: init $*"
  grep -q "$message" out err || fail "no '$message': init $*"
}
status 0 'usage: batchlab init' --help
status 2 'which table?'
status 2 'target COL is missing' tables/sales.csv
status 2 'datasets/sales.cfg exists and is left alone' tables/sales.csv --target sales
status 2 "no column 'sale'" tables/sales.csv --target sale --name other
status 2 'makes no name for an experiment' tables/sales.csv --target sales --name ../..
status 2 'makes no name for an experiment' tables/sales.csv --target sales --name none
status 74 'nothing.csv' tables/nothing.csv --target sales
# Only a plain file can be read again by `run`; opening a FIFO would wait for a writer.
mkfifo fifo.csv
status 74 'fifo.csv: it is a FIFO, not a plain file' fifo.csv --target sales --name other
status 2 'tables: there are no folders of pictures in it; each class has a folder of its own there' tables --target sales --name other
status 74 '/dev/null: it is a device, not a plain file' /dev/null --target sales --name other

# Compressed beside where it was, the table is still found; the message names the folder searched.
gzip tables/sales.csv
"$BATCHLAB" run sales --preset tiny --progress none > out 2> err
case $? in 0 | 5) ;; *) fail "a compressed table in its own folder: $(tail -3 err)" ;; esac
mv tables elsewhere
"$BATCHLAB" run sales --preset tiny --progress none > out 2> err && fail "trained without the table"
grep -q "sales.csv is not in ./tables, which is not a folder" err || fail "no folder is named: $(cat err)"
mkdir tables && mkfifo tables/sales.csv
"$BATCHLAB" run sales --preset tiny --progress none > out 2> err && fail "trained from a FIFO"
grep -q "sales.csv: it is a FIFO, not a plain file" err || fail "the FIFO is not named: $(cat err)"
[ -e datasets/other.cfg ] && fail "a refused table left files"
exit $bad
