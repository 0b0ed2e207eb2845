# Tables and numbered lists in comments of C, for tests/layers.sh: a line in which three blanks or more part the words is
# a row of a table. It stands five blanks or more behind the star, and so does an item that begins with a number. clang-format joins rows that stand nearer into one sentence.
#
#     /* Order of calls:                     /* Order of calls:
#      *     open    takes memory             *  open    takes memory close    gives it back
#      *     close   gives it back */         */
#
# The left one passes; the right one is what clang-format makes of rows at three blanks.
FNR == 1 { open = 0 }
{
    head = ""
    if (match($0, /^\/\* */)) { head = substr($0, 3, RLENGTH - 2); open = 1 }
    else if (open && match($0, /^ \* */)) head = substr($0, 3, RLENGTH - 2)
    row = open ? substr($0, 3 + length(head)) : ""
    sub(/ *\*\/$/, "", row)
    numbered = length(head) > 1 && row ~ /^[0-9]+\. /
    if (length(head) > 0 && length(head) < 5 && (numbered || row ~ /[^ ]   +[^ ]/)) {
        print "layers: " FILENAME ":" FNR ": a row of a table or list in a comment stands at least 5 blanks behind the star"
        bad = 1
    }
    if (/\*\//) open = 0
}
END { exit bad }
