#!/bin/sh
# What the kernels are made of, without a GPU: sass.sh [ARCH] FILE.cu.o... (objects of the plug-in, or the plug-in
# itself; ARCH is sm_90 unless said otherwise). A line for each kernel that has a loop with multiply-adds, or many reads:
#   all, FFMA, share   instructions of its busiest loop, multiply-adds among them and their share, which is the share of
#                      the card's peak that the loop can reach
#   local              loads and stores of local memory in any loop, which should be 0
#   ahead              the most reads of memory that are on their way before it adds or multiplies
# A loop is what lies between a branch backward and its target; of nested ones the one with the largest share of the
# multiply-adds' own counts.
set -u
arch=sm_90
case ${1:-} in sm_*) arch=$1; shift ;; esac
[ $# -gt 0 ] || { echo "sass.sh [sm_90] FILE.o..." >&2; exit 64; }
printf '%6s %6s %7s %6s %6s  %s\n' all FFMA share local ahead kernel
for file in "$@"; do
  cuobjdump -sass -arch "$arch" "$file" | c++filt -p | awk '
    function hex(text,   i, n) { n = 0; text = tolower(text); for (i = 1; i <= length(text); i++) n = 16 * n + index("0123456789abcdef", substr(text, i, 1)) - 1; return n }
    function finish(   l, i, f, a, bf, ba, local) {
      if (name == "") return
      for (l = 0; l < loops; l++) {
        f = a = 0
        for (i = 0; i < count; i++) {
          if (at[i] < from[l] || at[i] > to[l]) continue
          a++
          if (op[i] ~ /^FFMA/) f++
          if (op[i] ~ /^(LDL|STL)/) local++
        }
        # An inner loop is within an outer one: the one with the denser multiply-adds counts, if it has many.
        if (f > 0 && f * ba >= bf * a && f >= bf / 4) { bf = f; ba = a }
      }
      if (bf > 0) printf("%6d %6d %6.1f%% %6d %6d  %s\n", ba, bf, 100 * bf / ba, local, ahead, name)
      else if (ahead >= 8) printf("%6s %6s %7s %6d %6d  %s\n", "-", "-", "-", local, ahead, name)
    }
    /Function :/ { finish(); name = $0; sub(/.*Function : /, "", name); count = loops = reads = ahead = 0; next }
    match($0, /\/\*[0-9a-f]+\*\/ +[@!A-Z]/) {
      split($0, part, /\/\*|\*\//)
      at[count] = hex(part[2])
      text = part[3]
      sub(/^ +/, "", text)
      sub(/^@!?U?P[0-9T]+ +/, "", text)
      op[count] = text
      if (text ~ /^LDG/ && ++reads > ahead) ahead = reads
      if (text ~ /^(FADD|FFMA|DADD|DFMA)/) reads = 0
      if (text ~ /^BRA/ && match(text, /0x[0-9a-f]+/)) {
        target = hex(substr(text, RSTART + 2, RLENGTH - 2))
        if (target < at[count]) { from[loops] = target; to[loops] = at[count]; loops++ }
      }
      count++
    }
    END { finish() }'
done
