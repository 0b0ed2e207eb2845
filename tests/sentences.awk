# No sentence of a page has more than 25 words. A colon, a semicolon and a middle dot end one, and code counts as one
# word. Code, tables, headings and pictures are no sentences.
# Usage: awk -f tests/sentences.awk PAGE...
function paragraph_ends(  n, i, sentence, words) {
  gsub(/\]\([^)]*\)/, "]", text)
  gsub(/`[^`]*`/, "x", text)
  n = split(text, sentence, /([.!?:;]["\047)*_]*|·)( |$)/)
  for (i = 1; i <= n; i++) {
    sub(/^ +/, "", sentence[i])
    if (split(sentence[i], words, / +/) > 25) {
      printf "pages: %s:%d: a sentence of more than 25 words: %.60s\n", page, first, sentence[i]
      bad = 1
    }
  }
  text = ""
}
FNR == 1 { paragraph_ends(); fence = 0; page = FILENAME }
/^ *(```|~~~)/ { paragraph_ends(); fence = !fence; next }
fence || /^    / || /^ *\|/ || /^#/ || /^!\[/ || /^ *$/ { paragraph_ends(); next }
/^ *([*+-]|[0-9]+[.)]) / { paragraph_ends(); sub(/^ *([*+-]|[0-9]+[.)]) /, "") }
{
  if (text == "") first = FNR
  text = text " " $0
}
END {
  paragraph_ends()
  exit bad
}
