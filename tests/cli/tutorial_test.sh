# docs/table.md runs as it stands there: each command ends well, and prints every line that the page shows.
set -u
. tests/cli/lib.sh
project
cp -r docs "$scratch/project/"
cd "$scratch/project" || exit 1

# From the page, for each command: a file NUMBER.command, and NUMBER.lines with what it prints.
awk '/^    \$ batchlab / { n++; print substr($0, 16) >(n ".command"); inside = 1; next }
  inside && /^    / { print substr($0, 5) >(n ".lines"); next }
  { inside = 0 }' docs/table.md
count=0
for file in ?.command; do
  count=$((count + 1))
  command=$(cat "$file")
  eval "set -- $command"
  [ "$1" = run ] && set -- "$@" --progress none
  "$BATCHLAB" "$@" >"$scratch/out" 2>"$scratch/err"
  status=$?
  case "$1 $status" in *" 0" | "run 5") ;; *) fail "batchlab $*: exit $status" ;; esac
  while IFS= read -r line; do
    cat "$scratch/out" "$scratch/err" | grep -Fxq -- "$line" || fail "batchlab $* does not print: $line"
  done <"${file%.command}.lines"
done
[ $count -ge 7 ] || fail "$count commands in docs/table.md"
exit $failed
