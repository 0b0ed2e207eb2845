#!/bin/sh
# What is added by one file and one row needs a case, too: commands, figures, statistics. (Layers, optimizers,
# schedules, losses, metrics and kernels: the unit tests walk their tables.)
set -u
failed=0
miss() { echo "$*"; failed=1; }

# Every command shows its usage, and some test of tests/cli calls it: "$BATCHLAB" NAME, a helper such as `try STATUS NAME`, or a loop over commands.
commands=$("$BATCHLAB" completion words | cut -f1)
[ "$(echo "$commands" | wc -l)" -ge 20 ] || miss "completion lists fewer than 20 commands"
for c in $commands; do
  "$BATCHLAB" "$c" --help | head -1 | grep -q "^usage: batchlab $c" || miss "batchlab $c --help does not begin with its usage"
  grep -v '^ *#' tests/cli/*_test.sh | cut -d: -f2- |
    grep -Eq "(\\\$BATCHLAB\"?|^ *(try|ask|says|same) [0-9]+|for command in.*) +'?$c\\b" || miss "command $c has no case in tests/cli"
done

# docs/commands.md is what the program says.
sh scripts/commands_page.sh "$BATCHLAB" | cmp -s - docs/commands.md ||
  miss "docs/commands.md is old: sh scripts/commands_page.sh build/batchlab >docs/commands.md"

# Pages call only what there is: each line of code "batchlab COMMAND ..." has a command, options of its and keys.
known=$(for c in $commands; do
    echo "$c --help"
    "$BATCHLAB" "$c" --help | grep -oE '(^|[ [(|])--?[a-zA-Z][a-z-]*' | tr -d ' [(|' | sed "s/^/$c /"
  done
  "$BATCHLAB" check --list-keys all | awk 'NR > 1 { print "--set " $1 }')
lost=$({ echo "$known"; echo; grep -hE '^    (\$ )?(build/)?batchlab [a-z]' README.md docs/*.md experiments/*/README.md; } | awk '
  !pages && NF == 0 { pages = 1; next }
  !pages { known[$1, $2] = 1; next }
  { sub(/^ *(\$ )?(build\/)?batchlab /, ""); sub(/ +# .*/, "") }
  !(($1, "--help") in known) { print "command " $1; next }
  { for (i = 2; i <= NF && $i !~ /^[|<>]/; i++) {
      word = $i
      gsub(/=.*|\047|"/, "", word)
      if ($(i - 1) == "--set") { if (!(("--set", word) in known)) print "key " word }
      else if (word ~ /^-[a-zA-Z-]/ && word !~ /^-j[0-9]+$/ && !(($1, word) in known)) print $1 " " word } }')
[ -z "$lost" ] || miss "pages show what is not there: $lost"

# Every figure is explained, and drawn by a test.
figures=$(awk '/^const bl_figure bl_figure_/ { row = 1 } row && match($0, /"[a-z_]*"/) {
  print substr($0, RSTART + 1, RLENGTH - 2); row = 0 }' engine/report/figures/figure_*.c | sort)
[ "$(echo "$figures" | wc -l)" -ge 10 ] || miss "fewer than 10 figures are found: $figures"
for f in $figures; do
  grep -Eq "^## .*\b$f\b" docs/figures.md || miss "figure $f has no section in docs/figures.md"
  grep -q "\"$f\"" tests/unit/report*_test.c || miss "figure $f has no case in tests/unit: report_files_test.c draws each"
done

# Every header of engine/stats is included by a test; what is private to the room is reached through the others.
for h in engine/stats/*.h; do
  head -1 "$h" | grep -q 'private to the room' || grep -qF "\"$h\"" tests/unit/*_test.c || miss "statistic $h has no case in tests/unit"
done

# Every variable that the code reads is known to the program, which warns of all others; users find theirs on a page.
variables=$(grep -rhoE '(getenv|setting)\("(BL|BATCHLAB)_[A-Z_]+"' engine kernels tests/cuda | grep -oE '(BL|BATCHLAB)_[A-Z_]+' | sort -u)
[ "$(echo "$variables" | wc -l)" -ge 15 ] || miss "fewer than 15 variables are found: $variables"
for v in $variables; do
  grep -q "\"$v\"" engine/cli/environment.c || miss "variable $v is read, and the program warns that nothing reads it"
  case $v in BL_EMULATED_*) continue ;; esac
  grep -qw "$v" docs/care.md || miss "variable $v is not in docs/care.md"
done
exit $failed
