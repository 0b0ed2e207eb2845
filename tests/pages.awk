# Pages that can be read in a terminal and compared line by line: a page begins with '# ', and no line is too long.
# Lengths are in characters, which LC_ALL=C and the counting below make the same for every awk. Code is what
# Markdown takes for code: between fences, or indented by four beyond the text of its list item, after a blank line.
# Usage: LC_ALL=C awk -f tests/pages.awk PAGE...
function fault(what) {
  printf "pages: %s:%d: %s\n", FILENAME, FNR, what
  bad = 1
}
function check(what, most) {
  if (characters > most) fault(what " of " characters " characters: at most " most)
}
FNR == 1 {
  fence = ""; code = 0; text = 0; blank = 1 # text: the column where a list item's text begins
  titled[FILENAME] = $0 ~ /^# ./
}
{
  characters = $0
  gsub(/[\200-\277]/, "", characters) # all bytes of a character but its first
  characters = length(characters)
  match($0, /^ */)
  indent = RLENGTH
}
fence != "" || /^ *(```|~~~)/ {
  mark = substr($0, indent + 1, 3)
  if (fence == "") fence = mark
  else if (mark == fence) fence = ""
  check("a line of code", 120)
  blank = code = 0
  next
}
/^[ \t]*$/ { blank = 1; next }
blank && indent < text { text = indent }
(blank || code) && indent >= text + 4 { check("a line of code", 120); code = 1; blank = 0; next }
{
  code = blank = 0
  if (match($0, /^ *([*+-]|[0-9]+[.)]) +/)) text = RLENGTH
  if ($0 ~ /^ *\|/) check("a row of a table", 120)
  else check("a line", 100)
}
END {
  FNR = 1
  for (i = 1; i < ARGC; i++) {
    FILENAME = ARGV[i]
    if (!titled[FILENAME]) fault("a page begins with '# ' and its title")
  }
  exit bad
}
