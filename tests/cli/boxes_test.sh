#!/bin/sh
# No text of a figure runs over its edge, lies on another text, or on what is plotted: the boxes of every SVG that three
# sweeps draw, with few sizes and with many, with one target, with several, and with series. tests/boxes.awk measures.
set -u
command -v gnuplot >/dev/null || { echo "gnuplot is not installed: no boxes to measure"; exit 77; }
. tests/cli/lib.sh
export BATCHLAB_REPORTS="$scratch/reports"
unset BATCHLAB_DATA
sweep runs quadratic --preset tiny
sweep runs quadratic
sweep runs rossmann --preset tiny --synthetic
sweep runs mnist --preset tiny --synthetic

measured=0
for figure in "$scratch"/reports/*/*/*.svg; do
  name=${figure#"$scratch/reports/"}
  awk -v name="$name" -f tests/boxes.awk "$figure" || failed=1
  measured=$((measured + 1))
done
# Each of the four has 12 figures at least, and each figure two drawings.
[ $measured -ge 96 ] || { echo "--- only $measured drawings were measured"; failed=1; }

# What has to be seen: a legend that is moved onto the curves, a text over the edge, and texts on each other.
wrong() { # wrong KIND, an SVG on stdin
  awk -v name=wrong -f tests/boxes.awk - >"$scratch/said" && { echo "--- $1 was not seen"; failed=1; }
  grep -q "^wrong: $1" "$scratch/said" || { echo "--- not $1:"; cat "$scratch/said"; failed=1; }
}
some=$scratch/reports/quadratic/tiny/scaling.svg
mkdir "$scratch/moved"
cp "$scratch/reports/quadratic/quick/curves_steps.dat" "$scratch/moved/"
sed 's/^eval sizes_legend.*/&; set tmargin at screen 0.9/' "$scratch/reports/quadratic/quick/curves_steps.gp" >"$scratch/moved/curves_steps.gp"
(cd "$scratch/moved" && gnuplot -d curves_steps.gp)
wrong covered <"$scratch/moved/curves_steps.svg"
sed 's/measured/measured, and much more that has no room in the width of this figure/' "$some" | wrong edge
sed 's/>fitted curve</>fitted curve, which is the one that the answer rests on</' "$some" | wrong "edge\|texts"
head -40 "$some" | wrong only
exit $failed
