# README.md and docs/table.md run as they stand there: each command ends well and prints every line that the page
# shows, or begins a line with it where the README leaves the end out.
set -u
. tests/cli/lib.sh
project quadratic
cp -r docs README.md "$scratch/project/"
cd "$scratch/project" || exit 1

# prints FILE: the last command printed that file's lines; " ..." at an end stands for the rest of a line.
prints() {
  cat "$scratch/out" "$scratch/err" >printed
  while IFS= read -r line; do
    [ -n "$whole" ] || line=${line% ...}
    awk -v begin="$line" -v whole="$whole" 'whole != "" ? $0 == begin : index($0, begin) == 1 { found = 1 }
      END { exit !found }' printed || fail "does not print: $line"
  done <"$1"
}

# page FILE [whole]: runs the page's commands; $count of them. whole: its lines are not cut.
page() {
  page=$1 whole=${2:-}
  rm -f ./*.command ./*.lines
  # For each command a file NUMBER.command, and NUMBER.lines with what it prints.
  awk '/^    \$ (build\/)?batchlab / { n++; sub(/^[^b]*(build\/)?batchlab /, ""); sub(/ +# .*/, ""); print >(n ".command"); inside = 1; next }
    inside && /^    / { print substr($0, 5) >(n ".lines"); next }
    { inside = 0 }' "$page"
  count=0
  while [ -f "$((count + 1)).command" ]; do
    count=$((count + 1))
    command=$(cat "$count.command")
    eval "set -- $command"
    [ "$1" = run ] && set -- "$@" --progress none
    "$BATCHLAB" "$@" >"$scratch/out" 2>"$scratch/err"
    status=$?
    case "$1 $status" in *" 0" | "run 5") ;; *) fail "$page: batchlab $*: exit $status" ;; esac
    [ ! -f "$count.lines" ] || prints "$count.lines"
  done
}
page README.md
[ $count -ge 1 ] || fail "$count commands in README.md"
page docs/table.md whole
[ $count -ge 7 ] || fail "$count commands in docs/table.md"
exit $failed
