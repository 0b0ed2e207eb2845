#!/bin/sh
# What is installed works from any folder, says what its help says it says, and is gone after uninstall. Every example of
# every `COMMAND --help` is run, in the order in which `batchlab --help` lists the commands, and its output compared.
set -u
. tests/cli/lib.sh
unset BATCHLAB_DATA BATCHLAB_RUNS BATCHLAB_REPORTS BATCHLAB_CACHE
home=$PWD build=$(dirname "$BATCHLAB")
make -n CUDA_SO= install DESTDIR=/tmp/a PREFIX=/b 2>/dev/null | grep -q "sh scripts/install.sh install '/tmp/a' '/b'" || fail "make install"
sh scripts/install.sh install "$scratch" /usr "$build" || fail "install.sh install"
for file in bin/batchlab lib/batchlab/fixed_clock.so share/batchlab/scripts/lua/sweep.lua share/batchlab/datasets/rossmann.cfg \
  share/batchlab/clients/python/batchlab.py share/man/man1/batchlab.1 share/man/man1/batchlab-run.1 share/doc/batchlab/LICENSE \
  share/bash-completion/completions/batchlab share/zsh/site-functions/_batchlab share/fish/vendor_completions.d/batchlab.fish; do
  [ -s "$scratch/usr/$file" ] || fail "not installed: $file"
done
same "$(ls "$scratch/usr/share/man/man1" | wc -l)" "$(($("$BATCHLAB" completion words | wc -l) + 1))" "manual pages"
mv "$scratch/usr" "$scratch/moved"
BATCHLAB=$scratch/moved/bin/batchlab
PATH="$scratch/moved/bin:$PATH"

# A shipped experiment, from a folder that has nothing.
mkdir "$scratch/empty" && cd "$scratch/empty" || exit 1
try 0 run quadratic --preset tiny --progress none
[ -s reports/quadratic/tiny/report.html ] || fail "no report"
if command -v gnuplot >/dev/null; then
  grep -aq '/CreationDate (D:20000101' reports/quadratic/tiny/scaling.pdf || fail "a figure has the time in it"
fi
try 2 run nosuch
says err "no experiment 'nosuch' in $scratch/moved/share/batchlab/experiments; there are: .*quadratic"
try 2 lock quadratic --preset tiny
says err 'batchlab new FOLDER --from quadratic'
try 0 bundle quadratic
tar tzf quadratic.tar.gz | grep -q 'quadratic/scripts/lua/sweep.lua$' || fail "no script in the bundle"
tar tzf quadratic.tar.gz | grep -q "$scratch" && fail "a path of this machine in the bundle"

# A project: what is made, what is refused, and commands from a folder in it.
mkdir "$scratch/projects" && cd "$scratch/projects" || exit 1
try 0 new mine
same "$(cat mine/.gitignore | tr '\n' ' ')" "/runs/ /reports/ /datasets/cache/ " "what git leaves out"
try 2 new mine
says err '^batchlab: mine is not empty and is left alone; choose another name$'
try 2 new other --from nosuch
[ ! -e other ] || fail "a project of no experiment"
try 0 new shops --from rossmann
[ -s shops/datasets/rossmann.cfg ] && [ -s shops/experiments/rossmann/sweep.lua ] || fail "no declaration, or no script"
mkdir mine/notes && cd mine/notes || exit 1
try 0 check quadratic --preset tiny
says err "^batchlab: in the project $scratch/projects/mine$"
try 0 run quadratic --preset quick --progress none
try 0 run quadratic --preset tiny --progress none
[ -d ../runs/quadratic ] && [ ! -e runs ] || fail "the runs are not the project's"
try 0 bundle quadratic -o here.tar
[ -s here.tar ] && [ ! -e ../here.tar ] || fail "-o does not mean the folder where it was written"
cd .. && rm -r notes

# The examples. Some take files: a table, logs, steps.
awk 'BEGIN { print "id,price,rooms,city"; for (i = 0; i < 400; i++) { r = 1 + i * 7 % 5; printf "%d,%.1f,%d,%s\n", i, 100 + 50 * r + i * 13 % 20, r, i * 31 % 100 < 50 ? "A" : "B" } }' >flats.csv
mkdir logs
for b in 32 128; do for l in 0.1 0.2; do
  awk -v b=$b -v l=$l 'BEGIN { print "step,loss"; for (s = 10; s <= 30; s += 10) printf "%d,%.4f\n", s, 1 / (1 + s * l * b / 64) }' >logs/${b}_$l.csv
done; done
batchlab export quadratic --steps >steps.csv
# matches WANTED GOT: "..." alone is any lines, in a line anything.
matches() {
  awk -v wanted="$1" '
    function fits(line, pattern, i, part, at, n, parts) {
      n = split(pattern, parts, /\.\.\./)
      if (substr(line, 1, length(parts[1])) != parts[1]) return 0
      line = substr(line, length(parts[1]) + 1)
      for (i = 2; i <= n; i++) { at = index(line, parts[i]); if (at == 0) return 0; line = substr(line, at + length(parts[i])) }
      return n > 1 ? 1 : line == ""
    }
    BEGIN { while ((getline line < wanted) > 0) want[++count] = line; at = 1 }
    { while (want[at] == "...") { skip = 1; at++ }
      if (at <= count && fits($0, want[at])) { at++; skip = 0 } else if (!skip) bad = bad "\n  " $0 }
    END { while (want[at] == "...") at++; if (at <= count) print "not printed: " want[at]; if (bad) print "not in the example:" bad }' "$2"
}
count=0
for command in $(batchlab completion words | cut -f1); do
  case $build-$command in */asan-machine) echo "SKIPPED the example of machine: the sanitizer reserves more addresses than a limit leaves"; continue ;; esac
  batchlab "$command" --help >"$scratch/help"
  line=$(sed -n 's/^  \$ //p' "$scratch/help")
  sed -n '/^  \$ /,/^exit status:$/p' "$scratch/help" | sed -e 1d -e '/^exit status:$/d' -e 's/^  //' | sed '$d' >"$scratch/wanted"
  case $command in new) rm -rf "$scratch/again"; mkdir "$scratch/again"; (cd "$scratch/again" && sh -c "$line") >"$scratch/got" 2>&1 ;; *) sh -c "$line" >"$scratch/got" 2>&1 ;; esac
  said=$(matches "$scratch/wanted" "$scratch/got")
  [ -z "$said" ] || { echo "--- $line"; echo "$said"; failed=1; }
  count=$((count + 1))
done
[ $count -gt 25 ] || fail "only $count examples"

# Nothing stays after uninstall, and nothing else goes.
cd "$home" || exit 1
mkdir -p "$scratch/usr/bin" && : >"$scratch/usr/bin/other"
sh scripts/install.sh install "$scratch" /usr "$build" || fail "install again"
sh scripts/install.sh install "$scratch" /usr "$build" || fail "install over itself"
sh scripts/install.sh uninstall "$scratch" /usr || fail "uninstall"
same "$(cd "$scratch/usr" && find . -type f)" "./bin/other" "files after uninstall"

# The package holds the same, and says which libraries it needs.
if command -v dpkg-deb >/dev/null && command -v dpkg >/dev/null; then
  sh scripts/deb.sh "$build" "$scratch" >"$scratch/out" 2>"$scratch/err" || fail "deb.sh"
  package=$(cat "$scratch/out")
  dpkg-deb -c "$package" >"$scratch/listed"
  grep -q ' ./usr/share/man/man1/batchlab-run.1.gz$' "$scratch/listed" || fail "no manual page in the package"
  dpkg-deb -f "$package" Depends | grep -q 'libc6.*liblua5.4-0' || fail "Depends: $(dpkg-deb -f "$package" Depends)"
else
  echo "SKIPPED the package: there is no dpkg-deb"
fi
exit $failed
