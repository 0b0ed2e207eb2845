# The figure of the forecast audit: forecast over measured, a row for each sweep and target. `rows` and the labels of
# the rows stand before this (scripts/audit.sh).
set encoding utf8
set logscale x 10
set border 3 linewidth 1 linecolor rgb '#333333'
set tics nomirror out scale 0.6 textcolor rgb '#333333'
set grid x linecolor rgb '#e4e4e4' linewidth 0.7 linetype 1
set yrange [rows + 0.6 : -1.5]
set xrange [0.01 : 100]
set xtics ('1/100' 0.01, '1/30' 1.0 / 30, '1/10' 0.1, '1/3' 1.0 / 3, '1' 1, '3' 3, '10' 10, '30' 30, '100' 100)
set xlabel 'forecast / measured critical batch size' offset 0,0.3
set lmargin at screen 0.36
set rmargin at screen 0.96
set key top left at graph 0.01, graph 0.99 Left reverse vertical maxrows 3 samplen 1 width 0 noenhanced
set errorbars small
set arrow from 1, rows + 0.6 to 1, 0.4 nohead linecolor rgb '#777777' dashtype 3 back
array words[6] = ['noise, start', 'noise, on the way', 'noise, at the target', 'along the curvature', 'as Adam sees it', '512']
array points[6] = [9, 7, 5, 11, 13, 2]
array colours[6] = ['#0072B2', '#D55E00', '#009E73', '#000000', '#CC79A7', '#777777']
height = 150 + 42 * rows
do for [ending in 'svg png'] {
  if (ending eq 'svg') { set terminal svg size 760,height font 'sans-serif,14' background 'white' }
  if (ending eq 'png') { set terminal pngcairo size 1520,2 * height font 'sans-serif,14' fontscale 1.5 linewidth 2 pointscale 2 background 'white' }
  set output 'audit.'.ending
  plot for [i = 1:6] 'audit.dat' index i - 1 using 2:($1 + 0.12 * (i - 3.5)):3:4 with xerrorbars pointtype points[i] \
         pointsize 0.8 linecolor rgb colours[i] linewidth 1.2 title words[i]
  unset output
}
