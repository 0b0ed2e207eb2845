#!/bin/sh
# tests/layers.sh and tests/links.sh on a house of two rooms and a few pages: they pass as it stands, and each
# fault put in on purpose is found.
set -u
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/clean/engine/low" "$scratch/clean/engine/high" "$scratch/clean/kernels" "$scratch/clean/tests"
mkdir -p "$scratch/clean/docs" "$scratch/clean/experiments/one"
cp tests/layers.sh tests/layers.awk tests/comments.awk tests/links.sh tests/pages.awk tests/sentences.awk "$scratch/clean/tests/"
cd "$scratch" || exit 1
printf 'engine/low\tengine/low\nengine/high\tengine/high engine/low\n' >clean/tests/layers.txt
printf 'engine/low low\nengine/high high\n' >clean/tests/prefixes.txt
guarded() { # ROOM NAME TEXT: a header whose guard follows its path
  upper=$(printf '%s' "$1_$2" | tr a-z A-Z)
  printf '/* %s */\n#ifndef BL_ENGINE_%s_H\n#define BL_ENGINE_%s_H\n%s\n#endif\n' "$2" "$upper" "$upper" "$3" >"clean/engine/$1/$2.h"
}
guarded low one 'int bl_low_one(void);'
guarded low two '#include "engine/low/one.h"'
guarded high three '#include "engine/low/two.h"
typedef struct bl_high bl_high;'
printf '#include "engine/low/one.h"\n' >clean/engine/low/one.c
for page in README.md CONTRIBUTING.md CHANGELOG.md docs/a.md experiments/one/README.md; do
  printf '# A page\n\nIt has a [link](%s).\n' "$(basename "$page")" >"clean/$page"
done

failed=0
# finds WORDS COMMAND: what the command does to a copy of the house is found, in these words; "" for nothing.
finds() {
  rm -rf house && cp -r clean house
  (cd house && eval "$2" && sh tests/layers.sh && sh tests/links.sh) >out 2>&1
  rc=$?
  if [ -z "$1" ]; then [ $rc = 0 ] && ! grep -q . out && return; else [ $rc = 1 ] && grep -qF "$1" out && return; fi
  echo "after: $2"
  echo "  expected '$1', exit $rc:"
  sed 's/^/  /' out
  failed=1
}

finds '' true
finds 'the shortest: engine/low/one -> engine/low/two -> engine/low/one' \
  'echo "#include \"engine/low/two.h\"" >>engine/low/one.c'
finds 'engine/low ->[engine/low/five.c:engine/high/four.h] engine/high' \
  'printf "engine/low\tengine/low engine/high\n" >>tests/layers.txt
   printf "/* */\n#ifndef BL_ENGINE_HIGH_FOUR_H\n" >engine/high/four.h
   echo "#include \"engine/high/four.h\"" >engine/low/five.c'
finds 'engine/high/three.h: the first line has to say "private to the room" whole' \
  'sed -i "1s/.*/\/* three; private to the\n * room *\//" engine/high/three.h'
finds 'engine/low/one.c may not include "engine/high/three.h"' 'echo "#include \"engine/high/three.h\"" >>engine/low/one.c'
finds 'engine/high/three.h includes "engine/low/two.h", which is private to engine/low' \
  'sed -i "1s/.*/\/* private to the room *\//" engine/low/two.h'
finds 'bl_low_three: the prefix bl_low belongs to engine/low' 'echo "void bl_low_three(void);" >>engine/high/three.h'
finds 'the prefix bl_new is new: give it to engine/high in tests/prefixes.txt' 'echo "void bl_new(int);" >>engine/high/three.h'
finds 'tests/prefixes.txt gives bl_low to two rooms' 'echo "engine/high low" >>tests/prefixes.txt'
finds 'engine/low/one.c has the file name of engine/high/one.c' 'cp engine/low/one.c engine/high/one.c'
finds 'engine/low/one.c:3: a row of a table or list in a comment' \
  'printf "/* Calls:\n *   open    takes memory close   gives it back */\n" >>engine/low/one.c'
finds 'engine/low/one.c:2: a row of a table or list in a comment' 'echo "/* open   takes memory */" >>engine/low/one.c'
finds 'engine/low/one.c:3: a row of a table or list in a comment' 'printf "/* It\n *   1. is\n * numbered */\n" >>engine/low/one.c'
finds '' 'printf "/* Calls:\n *     open    takes memory\n *     close   gives it back */\nint a;   /* b   c */\n" >>engine/low/one.c'
finds 'the guard is BL_ONE_H, not BL_ENGINE_LOW_ONE_H' 'sed -i s/BL_ENGINE_LOW_ONE_H/BL_ONE_H/ engine/low/one.h'

# Pages. characters N [BEGIN]: a line of N characters of two bytes each, after BEGIN and a blank.
characters() {
  awk -v n="$1" -v begin="${2:+$2 }" 'BEGIN { while (n-- > 0) s = s "é"; print begin s }'
}
finds 'links: docs/a.md links to b.md, which is not there or not tracked' 'echo "[b](b.md)" >>docs/a.md'
finds '' 'characters 100 >>docs/a.md; (echo; characters 118 "|") >>README.md; (echo; characters 116 "   ") >>CHANGELOG.md'
finds 'pages: docs/a.md:4: a line of 101 characters: at most 100' 'characters 101 >>docs/a.md'
finds 'pages: experiments/one/README.md:4: a row of a table of 121 characters: at most 120' \
  'characters 119 "|" >>experiments/one/README.md'
finds '' '(echo; seq 25 | xargs echo; echo "\`\`\`"; seq 26 | xargs echo; echo "\`\`\`"; echo "1 2 (3) \`a b c\`: $(seq 24 | xargs). 2 3") >>docs/a.md'
finds 'pages: docs/a.md:5: a sentence of more than 25 words: 1 2 3 4' '(echo; seq 13 | xargs; seq 14 26 | xargs) >>docs/a.md'
finds 'pages: docs/a.md:6: a sentence of more than 25 words: 1 2 3 4' '(echo; echo "* One."; echo "* $(seq 26 | xargs)") >>docs/a.md'
finds 'pages: CHANGELOG.md:5: a line of code of 121 characters: at most 120' \
  '(echo; characters 117 "   ") >>CHANGELOG.md'
finds 'pages: README.md:5: a line of code of 121 characters: at most 120' \
  '(echo "\`\`\`sh"; characters 121; echo "\`\`\`") >>README.md'
finds 'pages: docs/a.md:7: a line of 101 characters: at most 100' \
  '(echo "~~~"; echo "\`\`\`"; echo "~~~"; characters 101) >>docs/a.md'
finds 'pages: docs/a.md:6: a line of 101 characters: at most 100' \
  '(echo "* An item"; echo; characters 97 "   ") >>docs/a.md'
finds '' '(echo "* An item"; echo; echo "After it:"; echo; characters 116 "   ") >>docs/a.md'
finds '' '(echo; characters 116 "   "; characters 116 "   ") >>docs/a.md'
finds 'pages: docs/a.md:7: a line of 101 characters: at most 100' \
  '(echo; echo "    code"; echo "Prose"; characters 97 "   ") >>docs/a.md'
finds "pages: CONTRIBUTING.md:1: a page begins with '# ' and its title" 'sed -i 1d CONTRIBUTING.md'
finds "pages: docs/a.md:1: a page begins with '# ' and its title" ': >docs/a.md'
exit $failed
