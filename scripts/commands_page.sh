#!/bin/sh
# commands_page.sh PROGRAM: prints docs/commands.md, the reference of all commands, from their help texts. A test
# compares the page with what this prints; after a change of a help text:
#
#     sh scripts/commands_page.sh build/batchlab >docs/commands.md
set -eu
program=$1

sed 's/^|//' <<'TEXT'
|# Commands
|
|Every command with its options, an example and its exit statuses. `scripts/commands_page.sh` makes
|this page from the program's help texts. After `make install`, `man batchlab-run` shows the same.
|[care.md](care.md) says more about the commands that look after the store.
|
|| variable | effect |
||---|---|
|| `BATCHLAB_DATA` | folders with data, separated by `:` |
|| `BATCHLAB_RUNS`, `BATCHLAB_REPORTS`, `BATCHLAB_CACHE` | where runs, reports and encoded data go |
|| `BL_FORCE_IMPL` | `avx512`, `avx2`, `scalar` or `ref` kernels; the logs stay the same |
|
TEXT
echo '    $ batchlab --help'
"$program" --help | sed 's/^\(.\)/    \1/'
"$program" --help | sed -n 's/^  \([a-z][a-z]*\)  *.*/\1/p' | grep -vx batchlab | while read -r command; do
  printf '\n## batchlab %s\n\n' "$command"
  "$program" "$command" --help | sed 's/^\(.\)/    \1/'
done
