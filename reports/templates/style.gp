# What all figures share: size, fonts, colours (Okabe and Ito, told apart by colour-blind readers),
# both axes logarithmic to base 2. In a column 3.4 inches wide the text is 6.5 points high.
set encoding utf8
if (!exists("height")) height = 390
if (!exists("caption_text")) caption_text = ''
if (!exists("x_text")) x_text = 'batch size'
if (!exists("x_linear")) x_linear = ''
if (!exists("y_linear")) y_linear = ''
linear_too = '' # commands of a template before it is drawn with linear axes
set terminal svg size 520,height font 'sans-serif,14' background 'white'
set output figure.'.svg'

blue = '#0072B2'
red = '#D55E00'
green = '#009E73'
orange = '#E69F00'
purple = '#CC79A7'
grey = '#777777'

set logscale xy 2
set border 3 linewidth 1 linecolor rgb '#333333'
set tics nomirror out scale 0.6 textcolor rgb '#333333'
set grid linecolor rgb '#e4e4e4' linewidth 0.7 linetype 1
set lmargin at screen 0.185
set rmargin at screen 0.965
set bmargin at screen 0.17
set tmargin at screen 0.91
set label 95 x_text at screen 0.575,27.0 / height center noenhanced
set label 97 y_text at screen 0.018, graph 0.5 center rotate noenhanced
set label 98 title_text at screen 0.57,1 - 15.0 / height center font (strlen(title_text) > 52 ? ',11' : ',14') noenhanced
# Of what: the experiment. SYNTHETIC DATA on the right leaves room for 56 characters of 11 points, or 68 of 9.
caption_room = 68
set label 96 (strlen(caption_text) > caption_room ? substr(caption_text, 1, caption_room - 1).'…' : caption_text) \
  at screen 0.015,11.0 / height left font (strlen(caption_text) > 56 ? ',9' : ',11') textcolor rgb grey noenhanced
set label 99 synthetic_text at screen 0.985,11.0 / height right textcolor rgb red noenhanced
set key reverse Left samplen 1.5 width 1 noenhanced
# A line of text is 21 units high on the svg terminal and 16 on the others: rows of a legend and numbers under an axis
# stand at the same places on all of them.
as_svg = "set key spacing 0.79; set xtics offset 0,0.3"
as_cairo = "set key spacing 1.05; set xtics offset 0,0"
eval as_svg
# The legend stands in so many rows between title and axes: it never covers what is drawn.
legend(rows) = sprintf("set key at screen 0.185,%.4f left top vertical maxrows %d; set tmargin at screen %.4f", \
  1 - 27.0 / height, rows, 1 - (41.0 + 16.6 * rows) / height)
# The same of batch sizes: short texts in up to four columns, under a heading that takes a row.
sizes_legend(entries) = legend((int(entries) + 3) / 4)."; set key width -1 title 'batch size' left; ".\
  sprintf("set tmargin at screen %.4f", 1 - (41.0 + 16.6 * ((int(entries) + 3) / 4 + 1)) / height)
set errorbars small

