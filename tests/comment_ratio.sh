#!/bin/sh
# comment_ratio.sh: numbers of the code, per room of engine/ and kernels/: files, median and largest file, comment
# lines per code line. A comment line is only comment; a line of code with a comment behind it is code. With ctags
# installed also the functions and their lengths. It reports and never fails: comments are written where a reader
# needs them, not for a ratio.
cd "$(dirname "$0")/.." || exit 1
files=$(find engine kernels -name '*.[ch]' -o -name '*.cu' | LC_ALL=C sort)
# shellcheck disable=SC2086
awk '
  function close_file() { if (file != "") sizes[room] = sizes[room] " " lines; lines = 0 }
  FNR == 1 {
    close_file()
    file = FILENAME
    n = split(FILENAME, part, "/")
    room = part[1] == "kernels" && n == 2 ? "kernels" : part[1] "/" part[2]
    count[room]++
    inside = 0
  }
  { lines++ }
  /^[ \t]*$/ { blank[room]++; next }
  inside { comment[room]++; if (/\*\//) inside = 0; next }
  /^[ \t]*\/\// { comment[room]++; next }
  /^[ \t]*\/\*/ {
    # Code may follow the end of a comment on its line.
    if (/\*\/[ \t]*$/ || !/\*\//) comment[room]++; else code[room]++
    if (!/\*\//) inside = 1
    next
  }
  { code[room]++; if (/\/\*/ && !/\*\//) inside = 1 }
  function row(name, c, m, b, f, s,   list, n, i, j, t) {
    n = split(s, list, " ")
    for (i = 2; i <= n; i++)
      for (j = i; j > 1 && list[j - 1] + 0 > list[j] + 0; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
    printf "%-18s %5d files  median %4d  largest %4d  %6d code  %5d comment  %.2f per code line  %2d %% blank\n", name, f, list[int((n + 1) / 2)], list[n], c, m, c ? m / c : 0, 100 * b / (c + m + b)
  }
  END {
    close_file()
    for (r in count) { C += code[r]; M += comment[r]; B += blank[r]; F += count[r]; S = S sizes[r];
      row(r, code[r], comment[r], blank[r], count[r], sizes[r]) }
    row("all", C, M, B, F, S)
  }' $files | LC_ALL=C sort
command -v ctags >/dev/null || { echo "functions: ctags is not installed"; exit 0; }
# shellcheck disable=SC2086
ctags -x --c-kinds=f --c++-kinds=f --_xformat='%{line} %{end}' $files 2>/dev/null |
  awk 'NF == 2 { print $2 - $1 + 1 }' | sort -n |
  awk '{ l[NR] = $1 } END { if (NR) printf "functions          %5d        median %4d  90 %% up to %d, 99 %% up to %d, largest %d lines\n", NR, l[int((NR + 1) / 2)], l[int(NR * 0.9)], l[int(NR * 0.99)], l[NR] }'
