# batchlab init on tables of many kinds: what it says of them, and that what it writes is loaded, checked and trained.
set -u
. tests/cli/lib.sh
project
cd "$scratch/project" || exit 1

# table FILE "AWK PROGRAM": 200 rows; the program prints a row from i, a (normal enough), b in [0, 1), c, and
# y = 10 + 3 a + b + noise.
table() {
  awk 'function r() { s = (s * 16807) % 2147483647; return s / 2147483647 }
    BEGIN { s = 7; for (i = 0; i < 200; i++) { a = sprintf("%.3f", r() + r() + r() + r() - 2); b = sprintf("%.3f", r())
      c = substr("uvw", 1 + int(3 * r()), 1); y = int(1000 * (10 + 3 * a + b + 0.3 * (r() - 0.5))) / 1000; row() } }
    function row() { '"$2"' }' >"$1"
}

# accepted NAME FILE arguments...: init writes what check accepts. $scratch/err has what it said.
accepted() {
  name=$1
  shift
  try 0 init "$@" --name "$name"
  cp "$scratch/err" said
  [ "$status" = 0 ] || return
  "$BATCHLAB" check "$name" >"$scratch/out" 2>"$scratch/err" || fail "check $name"
}
said() { tr -s '\n ' '  ' <said | grep -q -- "$1" || { cat said; fail "not said: $1"; }; }
declared() { grep -q -- "$2" "datasets/$1.cfg" || { cat "datasets/$1.cfg"; fail "$1: not declared: $2"; }; }
# trained NAME: the smallest preset ends with an answer, or without one.
trained() {
  "$BATCHLAB" run "$1" --preset tiny --progress none >"$scratch/out" 2>"$scratch/err"
  case $? in 0 | 5) ;; *) fail "run $1" ;; esac
}

# Names: one rule for all.
table "Sales 2024.csv" 'if (!i) print "a,c,y"; print a "," c "," 1000 + y * 7'
try 0 init "Sales 2024.csv" --target y
says out '^datasets/sales_2024.cfg$'
try 0 check sales_2024
# Targets of one list are of one type, whatever their digits.
grep -Eq 'targets = \[[0-9.e+]*[.e][0-9.e+]*, [0-9.e+]*[.e][0-9.e+]*\];' experiments/sales_2024/experiment.cfg ||
  fail "targets of two types"

# Few rows: no batch size is larger than the training rows, and -n judges every preset.
head -51 "Sales 2024.csv" >few.csv
accepted few few.csv --target y
try 0 run few -n
try 0 run few --preset paper -n
trained few
# Presets of any length of name stand in columns.
sed "s/^  tiny: {/  tiny_but_whole: {/" experiments/few/experiment.cfg >renamed && mv renamed experiments/few/experiment.cfg
try 0 run few -n
grep "^  tiny_but_whole about" "$scratch/out" >/dev/null || fail "the long preset is not there"
[ "$(grep " runs, " "$scratch/out" | sed "s/ runs, .*//" | awk "{ print length }" | sort -u | wc -l)" = 1 ] || fail "columns"
head -18 "Sales 2024.csv" >fewer.csv
try 2 init fewer.csv --target y
says err '17 rows have a target; at least 20 are needed'

# Targets of any scale: far from zero, in the thousands, large and steady. A straight line is found at once.
table scale.csv 'if (!i) print "a,far,profit,time"; printf "%s,%.3f,%.1f,%d\n", a, 1e6 + y, 100000 * a, 1700000000 + y'
for target in far profit time; do accepted scale_$target scale.csv --target $target --ignore "$(echo far,profit,time | sed "s/$target//")"; done
declared scale_far 'scale = "standard"'
line=$(sed -n 's/.*, \([0-9.e+-]*\) by least squares.*/\1/p' experiments/scale_far/README.md)
awk -v x="$line" 'BEGIN { exit !(x > 0.1 && x < 0.6) }' || fail "far from zero, least squares errs by $line"
trained scale_profit

# Missing values in words, in inputs and in the target.
table words.csv 'if (!i) print "a;c;y"; print (i % 4 ? a : "k. A.") ";" (i % 9 ? c : "") ";" (i % 5 ? y : "keine Angabe")'
accepted words words.csv --target y
said "150 of 200 are numbers, .*; 50 are 'k. A.': read as missing, line 2"
said "128 rows for training, 32 held out"
for word in '?' '#N/A' -; do
  table missing.csv 'if (!i) print "a,b,c,y"; print (i % 17 == 3 ? "'"$word"'" : a) "," b "," c "," (i % 19 == 4 ? "nan" : y)'
  rm -rf datasets/missing.cfg experiments/missing
  accepted missing missing.csv --target y
  declared missing "missing = \\[\"$word\", \"nan\"\\]"
  said "188 of 200 are numbers, .*; 12 are '$word': read as missing, line 5"
  declared missing '^continuous = \["a", "b"\]'
done

# Blanks, decimal commas, separators within quotes, other encodings and line ends.
table blanks.csv 'if (!i) print "a, b, c, y"; print a ", " b ", " c ", " y'
accepted blanks blanks.csv --target y
declared blanks 'number = \["a", "b", "y"\]'
table comma.csv 'if (!i) print "a;b;c;y"; t = a ";" b ";" c ";" y; gsub(/\./, ",", t); print t'
accepted comma comma.csv --target y
declared comma 'decimal = ","'
said 'number a: numbers, .* decimal comma'
table quoted.csv 'if (!i) print "\"a, m\";\"b, s\";\"c, d, e, f\";y"; print a ";" b ";" c ";" y'
accepted quoted quoted.csv --target y
declared quoted 'separator = ";"'
table plain.csv 'if (!i) print "a,b,c,y"; print a "," b "," c "," y'
awk 'BEGIN { printf "\377\376" } { n = split($0, x, ""); for (k = 1; k <= n; k++) printf "%s%c", x[k], 0; printf "\n%c", 0 }' plain.csv >wide.csv
tr '\n' '\r' <plain.csv >mac.csv
gzip -nc plain.csv >packed.csv.gz
cp plain.csv again.csv
accepted plain plain.csv --target y
accepted of_wide wide.csv --target y
said 'text read as UTF-16'
accepted of_mac mac.csv --target y
said 'text lines end in CR, as on old Macs'
accepted of_packed packed.csv.gz --target y
declared of_wide 'encoding = "utf16"'
declared of_packed 'file = "packed.csv"'
accepted two plain.csv again.csv --target y
said '320 rows for training, 80 held out'
same "$(grep -c sha256 datasets/two.cfg)" 2 "files of the table"
# A pilot in place of a sweep is offered where rows are enough for it.
grep -q 'batchlab find' said && fail "find is offered for 320 rows"
cp plain.csv many.csv
for copy in 1 2 3; do sed 1d plain.csv; done >>many.csv
accepted many many.csv --target y
said 'then: batchlab find many ('
trained two
try 2 init plain.csv comma.csv --target y --name other
says err "comma.csv:1: error: .*files of one table have the same header"
try 2 init plain.csv tables/other.csv --target y --name other
says err 'the files of one table lie in one folder'

# Elsewhere init makes a project, which reads its library where the program has it; a program that is alone has none,
# and writes nothing.
mkdir -p elsewhere "$scratch/far/away/alone" && cd elsewhere || exit 1
cp "$BATCHLAB" "$scratch/far/away/alone/batchlab"
"$scratch/far/away/alone/batchlab" init ../plain.csv --target y >"$scratch/out" 2>"$scratch/err"
same $? 2 "exit of a program that is alone"
says err '^batchlab: there is no scripts/lua here: run batchlab in the folder of its project$'
same "$(ls)" "" "files elsewhere"
try 0 init ../plain.csv --target y
same "$(echo *)" "datasets experiments" "files of a new project"
try 0 check plain --preset tiny
cd ..

# No header; a title above it; a footer; not text at all.
sed 1d plain.csv >bare.csv
try 2 init bare.csv --target "$(head -1 bare.csv | cut -d, -f4)"
says err 'bare.csv:1: error: the first row looks like values .*put a header above it'
{ echo "Report of May"; cat plain.csv; } >title.csv
try 2 init title.csv --target y
says err 'title.csv:2: error: 4 fields, the header has 1. The lines above it look like a title'
{ cat plain.csv; echo "200 rows"; } >footer.csv
try 2 init footer.csv --target y
says err 'footer.csv:202: error: 1 field, the header has 4. It looks like a footer'
printf 'PAR1....' >table.parquet
try 2 init table.parquet --target y
says err "this is a Parquet file; duckdb -c"
cp packed.csv.gz packed.csv
try 2 init packed.csv --target y --name other
says err 'packed.csv: this is packed by gzip: call it packed.csv.gz'
rm packed.csv
[ -e datasets/bare.cfg ] || [ -e datasets/title.cfg ] || [ -e datasets/other.cfg ] && fail "a refused table left files"

# Whole numbers that are different in every row are amounts, unless they number the rows.
table car.csv 'if (!i) print "mileage,row,c,price"; m = 5000 + (i * 7919) % 100003; print m "," i "," c "," 30000 - m / 10 + y'
accepted car car.csv --target price
declared car 'continuous = \["mileage"\]'
declared car "'row' is ignored: it numbers the rows"

# Dates: with time, in other orders, and a name that is taken. The latest rows are held out.
table times.csv 'if (!i) print "when,when hour,b,y"; d = int(i / 4); printf "%d/%d/2020 %d:30,%d,%s,%s\n", 1 + int(d / 28), 1 + d % 28, 6 * (i % 4), 6 * (i % 4), b, y + i % 4'
accepted times times.csv --target y
declared times 'dates = "mdy"'
declared times 'split = { by = "when"; share = 0.2; }'
declared times 'name = "when hour_"; of = "when"; part = "hour"'
try 2 init times.csv --target y --date b --name other
says err "times.csv:2: error: column 'b' holds more than dates"

# What says nothing in the training rows is left out, with the reason; held-out rows that differ are warned of.
table late.csv 'if (!i) print "day,new,k,town,y"; printf "2020-%02d-%02d,%s,%s,%s,%s\n", 1 + i / 28, 1 + i % 28, (i < 190 ? "" : b), (i < 175 ? 0.5 : 7 + b), (i < 165 ? c : "x"), y'
accepted late late.csv --target y
said 'left out new: it has no value in any training row'
said 'left out k: it has one value in the training rows'
said "warning: 88 % of the held-out rows have a 'town' that no training row has"
trained late

# Sorted by year: rows are drawn at random, and years are an amount.
table year.csv 'if (!i) print "year,a,y"; t = 2000 + int(i / 10); print t "," a "," a + t - 1990'
accepted year year.csv --target y
declared year 'split = { seed = 1; share = 0.2; }'
declared year 'continuous = \["year", "a"\]'
table groups.csv 'if (!i) print "a,customer,y"; print a ",c" int(i / 5) "," y'
accepted groups groups.csv --target y --group customer
declared groups 'split = { seed = 1; group = "customer"; share = 0.2; }'
said '160 rows for training, 40 held out (whole groups, drawn at random)'
declared groups 'categorical = \[\]'
declared groups 'ignored = \["customer"\]'
table two.csv 'if (!i) print "a,g,y"; print a "," (i < 10 ? "p" : "q") "," y'
try 2 init two.csv --target y --group g --name other
says err '^batchlab: 200 rows, of which 200 are for validation: none are left to train on$'
table two.csv 'if (!i) print "a,g,y"; print a "," (i < 190 ? "p" : "q") "," y'
try 2 init two.csv --target y --group g --name other
says_somewhere err '--group leaves 10 rows for training and 190 held out; at least 16 are needed'

# What would have no effect is refused, and so are the same rows twice and names that are no columns.
try 2 init groups.csv --target y --name other --size 5
says err '--size has no effect on a table'
try 2 init groups.csv --target y --name other --rows 5
says err '--rows has no effect on a table'
try 2 init groups.csv --target y --name other --ignore zz
says err "no column 'zz'; the columns are a, customer, y"
try 2 init groups.csv --target y --name other --ignore y
says err "'y' is the target: --ignore cannot leave it out"
try 2 init groups.csv --target y --name other --group customer --date a
says err '--date and --group are two ways'
try 2 init groups.csv groups.csv --target y --name other
says err 'groups.csv and groups.csv are one file: give it once'
try 2 init groups.csv --name never --update
says err 'there is no .*datasets/never.cfg to update: init without --update writes it'
try 2 init groups.csv --target y --name groups
says err 'datasets/groups.cfg exists and is left alone'

# Rows without a label are counted. NA is no label.
table labels.csv 'if (!i) print "a,b,kind"; print a "," b "," (i % 4 == 0 ? "NA" : y > 10 ? "big" : "small")'
accepted labels labels.csv --target kind
said '50 rows have no label (empty, NA or the like) and are left out'

# A line break in a class's name breaks no line of what is said.
table broken.csv 'if (!i) print "a,kind"; print a "," (y > 10 ? "\"big\none\"" : "small")'
accepted broken broken.csv --target kind
grep -q "'big one' [0-9]* %" said || fail "a name on two lines"

# Where always the same answer has an error that no target can be below, it is the table that is named.
table tiny.csv 'if (!i) print "a,y"; print a "," i % 7 "e-310"'
try 2 init tiny.csv --target y --name other
grep -q 'the experiment:' "$scratch/err" && fail "a text that the user never saw is named"

# Numbers that stand for no value, negatives as in accounts and in print, a date without an end.
table codes.csv 'if (!i) print "a,b,c,when,y"; print (i % 6 ? a : -999) "," (b < 0.5 ? "(" b ")" : b) "," (a < 0 ? "\342\210\222" (-a) : a) \
  "," (i % 5 ? "2020-" sprintf("%02d-%02d", 1 + i % 12, 1 + i % 28) : "9999-12-31") "," (i % 7 ? y : 9999)'
accepted stand_in codes.csv --target y
said "166 of 200 are numbers, .*; 34 are '-999': read as missing, line 2"
said "number b: numbers, -0.49.* to 0.9"
said "number c: numbers, -[12].* to [12]"
said "160 of 200 are dates, 2020-01-01 to 2020-12-28; 40 are '9999-12-31': read as missing, line 2"
said "171 of 200 are numbers, .*; 29 are '9999'"
declared stand_in 'missing = \["-999", "9999-12-31", "9999"\]'
# A series needs its stamp, though it numbers the rows; what overflows is left out; labels that differ in case are told.
table stamp.csv 'if (!i) print "ts,big,label"; print 1600000000000 + 3600000 * i "," a "e300," substr("YesyesNo no ", 1 + 3 * int(4 * b), 3)'
accepted stamp stamp.csv --target label
said 'number ts: numbers, 1.6e+12'
said 'left out big: it has values beyond 1e150'
said "warning: 'No' and 'no' are two classes: do they differ by mistake"

# Blanks stand between columns where nothing else does.
table blanks.txt 'if (!i) print "a \"b c\" y"; print a " " b " " y'
accepted by_blanks blanks.txt --target y
declared by_blanks 'separator = " "'
said 'number b c: numbers, 0'

# Columns that are lined up, with a time of day.
table lined_up.txt 'if (!i) printf "%8s  %6s %12s\n", "start", "c", "y"; printf "%5d:%02d  %6s %12s\n", i % 24, i * 7 % 60, c, y'
accepted lined_up lined_up.txt --target y
said "start: times of day, 00:00 to 23:53"
declared lined_up 'separator = "blanks"'
declared lined_up '^    time = \["start"\]'

# Whole numbers are names where the target does not follow them: a month, an area code; rooms and ages are amounts.
awk 'function r() { s = (s * 16807) % 2147483647; return s / 2147483647 }
  BEGIN { s = 7; print "month,rooms,area,age,idle,y"
    for (i = 0; i < 1500; i++) { month = 1 + int(12 * r()); rooms = 1 + int(8 * r()); area = 1000 + 7 * int(30 * r())
      age = 18 + int(60 * r()); print month "," rooms "," area "," age "," 1 + int(5 * r()) "," 5 * sin(month * 0.524) + 2 * rooms \
        + 4 * ((area * 7919 % 101) / 101) + (age - 48) ^ 2 / 150 + r() } }' >codes.csv
accepted codes codes.csv --target y
declared codes 'categorical = \["month", "area"\]'
declared codes 'continuous = \["rooms", "age", "idle"\]'
# Of 200 codes, each is there 10 times, but 8 times among the training rows: too few to learn one by one.
awk 'BEGIN { print "code,y"; for (i = 0; i < 2020; i++) print 1000 + 37 * (i % 200) "," (i % 200) * 7919 % 101 }' >rare.csv
said "category month: 12 values: .*; whole numbers along which 'y' is no straight line"
said "number rooms: numbers, 1 to 8; 8 whole numbers, in whose order 'y' changes evenly or not at all"
accepted rare rare.csv --target y
declared rare 'continuous = \["code"\]'


# Classes: texts, two numbers, and numbers that the user calls classes.
table class.csv 'if (!i) print "a,b,answer,flag,stars"; print a "," b "," (y > 12 ? "yes" : y > 9 ? "maybe" : "no") "," (y > 10) "," 1 + int(b * 4)'
accepted answer class.csv --target answer --ignore flag,stars
declared answer 'classes = \["maybe", "no", "yes"\]'
declared answer 'split = { seed = 1; stratify = true; share = 0.2; }'
said '40 held out (drawn at random, the same share of each class)'
said "target answer: a class of 3 values: 'maybe' 57 %, 'yes' 23 %"
grep -q '^loss = "cross_entropy"' experiments/answer/experiment.cfg || fail "no cross entropy"
trained answer
accepted flag class.csv --target flag
declared flag 'classes = \["0", "1"\]'
accepted stars class.csv --target stars
said "'stars' has 4 whole numbers and is learnt as a number; --classes"
accepted stars_as_classes class.csv --target stars --classes
declared stars_as_classes 'classes = \["1", "2", "3", "4"\]'
try 2 init class.csv --target a --classes --name other
says err "the target 'a' is neither a number nor a class"

# A target that is too hard or too easy is said with the command that asks for another; that command works.
"$BATCHLAB" run of_wide --preset tiny --set sweep.targets=0.0001 --progress none >"$scratch/out" 2>"$scratch/err"
same $? 5 "a target below all baselines: exit"
says out '^That is no better than 0\.08[0-9]*, which needs no net (sweep\.baseline)\.$'
grep -q '^  Try' "$scratch/out" && fail "a target that needs no net is advised"
"$BATCHLAB" run of_wide --preset tiny --set sweep.targets=0.0001 --set sweep.baseline=2 --progress none >"$scratch/out" 2>"$scratch/err"
same $? 5 "a target out of reach: exit"
says out '^The closest was rmse [0-9.]*, at batch size [0-9]* and learning rate [0-9.]*\.$'
says out '^  Try [0-9.]*: batchlab run of_wide --preset tiny --set sweep.targets='
again=$(sed -n 's/^  Try .*: batchlab //p' "$scratch/out")
# shellcheck disable=SC2086
"$BATCHLAB" $again --progress none >"$scratch/out" 2>"$scratch/err" || fail "not reached: $again"
"$BATCHLAB" run of_wide --preset tiny --set sweep.targets=2.9 --set sweep.baseline=2 --progress none >"$scratch/out" 2>"$scratch/err" || fail "an easy target"
says out '^Too easy: the target was reached within 20 steps at every batch size\.$'
says out '^  Try [0-9.]*: batchlab run of_wide --preset tiny --set'
says out '^Best after '
"$BATCHLAB" check of_wide --set batch_sizes=1,16 --set model.batch_norm=true >"$scratch/out" 2>"$scratch/err" || fail "batch size 1"
says out '^note: the statistics of one example say nothing: what is normalised over the batch is not learnt, at batch size 1$'

# Class names with a colour of terminals: the file has it, a screen does not.
awk 'BEGIN { print "a,label"; for (i = 0; i < 200; i++) print i % 17 / 4 "," (i % 17 > 8 ? "\033[31mred\033[0m" : "k\303\266ln") }' >colours.csv
accepted colours colours.csv --target label
said 'k.*ln. 54 %, .[\]x1b\[31mred[\]x1b\[0m. 46 %'
grep -q "$(printf "\033")" said && fail "a colour reaches the screen"

# --update: another digest for the same declaration, if the table still fits it.
sed '$d' plain.csv >shorter && cat shorter >plain.csv
"$BATCHLAB" run plain --preset tiny --progress none >"$scratch/out" 2>"$scratch/err" && fail "a changed table is trained on"
says err 'if it was meant to change: batchlab init ./plain.csv --name plain --update'
try 0 init plain.csv --update
trained plain
sed 's/sha256 = "[0-9a-f]*/sha256 = "ab/' datasets/plain.cfg >short && cat short >datasets/plain.cfg
try 2 init plain.csv --update
says err '^batchlab: datasets/plain.cfg does not name plain.csv with a sha256$'
sed 's/sha256 = "ab/&'"$(printf '%062d' 0)"'/' short >datasets/plain.cfg
try 0 init plain.csv --update
echo "a,b,y" >plain.csv
try 2 init plain.csv --update
says err "no column 'c' in the header"
"$BATCHLAB" run two --preset tiny --progress none >"$scratch/out" 2>"$scratch/err" && fail "a changed table is trained on"
exit $failed
