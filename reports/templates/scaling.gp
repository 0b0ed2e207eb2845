# The definitions of a critical batch size: a row for each under the axis, never over the data. How wide a text is
# there, engine/report/figures/figure_scaling.c knows.
set bmargin at screen 0.36
set label 95 at screen 0.575,0.278
eval legend(2)
set style arrow 1 nohead linecolor rgb orange linewidth 1.8
set style arrow 2 backhead filled size screen 0.013,20 linecolor rgb orange linewidth 1.8
set style arrow 3 head filled size screen 0.013,20 linecolor rgb orange linewidth 1.8
set style arrow 4 heads filled size screen 0.013,20 linecolor rgb orange linewidth 1.8
do for [i = 1:marks] {
  y = 0.219 - 0.037 * (i - 1)
  set arrow i from mark_low[i], screen y to mark_high[i], screen y arrowstyle mark_style[i]
  set label 20+i mark_name[i] at screen 0.175, screen y right font ',11' noenhanced
  set label i '' at mark_value[i], screen y point pointtype 7 pointsize 0.6 linecolor rgb red
  if (mark_on_left[i]) {
    set label 10+i mark_text[i] at mark_low[i], screen y right offset -0.7,0 font ',11' noenhanced
  } else {
    set label 10+i mark_text[i] at mark_high[i], screen y left offset 0.7,0 font ',11' noenhanced
  }
}
# There the rows have no axis of their own: the numbers stand beside the names.
linear_too = "data_low = 0; do for [i = 1:marks] { unset arrow i; unset label i; set label 10+i mark_text[i] at screen 0.195, screen 0.219 - 0.037 * (i - 1) left offset 0,0 font ',11' noenhanced }"

data = figure.'.dat'
plot data index 'curves' using 1:4:5 with filledcurves linecolor rgb '#ccebe0' notitle, \
     data index 'curves' using 1:($2 > data_low ? $2 : NaN) with lines linecolor rgb grey dashtype 2 linewidth 1.5 title (has_reached ? 'perfect scaling' : ''), \
     data index 'curves' using 1:3 with lines linecolor rgb green linewidth 1.5 title curve_text, \
     data index 'seeds' using 1:($3 > 0 ? $3 : NaN):(0):($2 - $3) with vectors nohead \
       linecolor rgb grey linewidth 1 notitle, \
     data index 'reached' using 1:2:3:4 with yerrorbars pointtype 7 pointsize 0.7 \
       linecolor rgb blue linewidth 1.2 title (has_reached ? 'measured' : ''), \
     data index 'censored' using 1:2 with points pointtype 8 pointsize 1.0 linecolor rgb blue linewidth 1.2 \
       title (has_censored ? 'not reached' : '')
