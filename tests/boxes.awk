# The boxes of a figure, from gnuplot's SVG: texts and what is plotted, in its units. Prints what is wrong:
#
#     edge     a text runs over the edge of the picture
#     texts    two texts lie on each other
#     covered  a text lies on a point, a line or a bar that is plotted
#
# A text's width is the sum of its characters' widths in DejaVu Sans, in thousandths of the font's size, its height
# seven tenths of the size above the base line. Batch sizes beside their points (pareto's labels) belong to the data.
function width(text, size,   i, c, at, sum) {
  gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&amp;/, "\\&", text)
  gsub(/≤/, "<", text); gsub(/[\200-\277]/, "", text)
  for (i = 1; i <= length(text); i++) {
    c = substr(text, i, 1)
    at = index(printable, c)
    sum += at > 0 ? char[at] : 838
  }
  return sum * size / 1000
}
# A segment from (x, y) to (u, v) against the box k: cut at each side in turn (Liang and Barsky).
function meets(k, x, y, u, v,   from, to, i, p, q, r) {
  from = 0; to = 1
  for (i = 1; i <= 4; i++) {
    p = i == 1 ? x - u : i == 2 ? u - x : i == 3 ? y - v : v - y
    q = i == 1 ? x - left[k] : i == 2 ? right[k] - x : i == 3 ? y - top[k] : bottom[k] - y
    if (p == 0 && q < 0) return 0
    if (p == 0) continue
    r = q / p
    if (p < 0 && r > from) from = r
    if (p > 0 && r < to) to = r
  }
  return from < to
}
function add_text(text, x, y, anchor, size,   w, k) {
  if (text == "") return
  # gnuplot writes a label that hides what lies behind it twice.
  if (texts > 0 && text == word[texts] && x == at_x && y == at_y) return
  at_x = x; at_y = y
  k = ++texts
  w = width(text, size)
  if (turned) { left[k] = x - 0.75 * size; right[k] = x + 0.2 * size; top[k] = y - w / 2; bottom[k] = y + w / 2 }
  else {
    left[k] = anchor == "end" ? x - w : anchor == "middle" ? x - w / 2 : x
    right[k] = left[k] + w; top[k] = y - 0.73 * size; bottom[k] = y + 0.2 * size
  }
  word[k] = text; of[k] = plot
}
function add_line(x, y, u, v) { lines++; x1[lines] = x; y1[lines] = y; x2[lines] = u; y2[lines] = v; owner[lines] = plot }
function complain(what) { print name ": " what; wrong = 1 }
BEGIN {
  for (i = 32; i < 127; i++) printable = printable sprintf("%c", i)
  split("318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 636 636 636 636" " " \
        "636 636 337 337 838 838 838 531 1000 684 686 698 770 632 575 775 752 295 295 656 557 863 748 787" " " \
        "603 787 695 635 611 732 684 989 685 611 685 390 337 390 838 500 500 613 635 550 635 615 352 635" " " \
        "634 278 278 579 278 974 634 612 635 635 411 521 392 634 592 818 592 592 525 636 337 636 838", char, " ")
}
/^ width="/ { split($0, part, "\""); W = part[2]; H = part[4] }
/<g / { depth++ }
/<g id="gnuplot_plot_/ { outer = depth; plot = $0; sub(/.*gnuplot_plot_/, "", plot); sub(/".*/, "", plot) }
/<g transform="translate\(/ {
  at = $0; sub(/.*translate\(/, "", at); sub(/\).*/, "", at); split(at, xy, ",")
  turned = /rotate\(-?[1-9]/
  size = $0; sub(/.*font-size="/, "", size); sub(/".*/, "", size)
  anchor = $0; sub(/.*text-anchor="/, "", anchor); sub(/".*/, "", anchor)
}
/<text>/ {
  text = $0; gsub(/<[^>]*>/, "", text); gsub(/^[ \t]+|[ \t]+$/, "", text)
  add_text(text, xy[1] + 0, xy[2] + 0, anchor, size + 0)
}
/<use xlink:href=.*translate/ {
  at = $0; sub(/.*translate\(/, "", at); radius = at; sub(/\).*/, "", at); split(at, p, ",")
  sub(/.*scale\(/, "", radius); sub(/\).*/, "", radius); radius *= 0.7
  if (plot != "") add_line(p[1] - radius, p[2] + 0, p[1] + radius, p[2] + 0)
  if (plot != "") add_line(p[1] + 0, p[2] - radius, p[1] + 0, p[2] + radius)
}
# Horizontal and vertical moves are no part of what gnuplot plots: M and L are all there is.
/<path stroke=/ && !/gridline/ && /d='/ {
  d = $0; sub(/.*d='/, "", d); sub(/'.*/, "", d)
  n = split(d, move, " ")
  for (i = 1; i <= n; i++) {
    command = substr(move[i], 1, 1)
    at = move[i]; sub(/^[ML]/, "", at); split(at, q, ",")
    if (command == "L" && plot != "") add_line(px, py, q[1] + 0, q[2] + 0)
    px = q[1] + 0; py = q[2] + 0
  }
}
/<\/g>/ { if (depth-- == outer) plot = "" }
/<\/svg>/ { whole = 1 }
END {
  if (!whole || texts < 4 || lines < 2) complain("only " texts + 0 " texts and " lines + 0 " lines were found")
  for (k = 1; k <= texts; k++)
    if (left[k] < 0 || right[k] > W || top[k] < 0 || bottom[k] > H)
      complain(sprintf("edge: '%s' from %d,%d to %d,%d", word[k], left[k], top[k], right[k], bottom[k]))
  for (k = 1; k <= texts; k++)
    for (i = 1; i < k; i++)
      if (left[k] < right[i] && left[i] < right[k] && top[k] < bottom[i] && top[i] < bottom[k])
        complain("texts: '" word[k] "' on '" word[i] "'")
  for (k = 1; k <= texts; k++) {
    if (word[k] ~ /^[0-9,]+$/ && of[k] != "" && name ~ /pareto/) continue
    for (i = 1; i <= lines; i++)
      if (meets(k, x1[i], y1[i], x2[i], y2[i])) {
        complain(sprintf("covered: '%s' by plot %s at %d,%d", word[k], owner[i], x1[i], y1[i]))
        break
      }
  }
  exit wrong
}
