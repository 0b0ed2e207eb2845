# What all figures share: size, fonts, colours (Okabe and Ito, told apart by colour-blind readers),
# both axes logarithmic to base 2. In a column 3.4 inches wide the text is 6.5 points high.
set encoding utf8
set terminal svg size 520,390 font 'sans-serif,14' background 'white'
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
set xlabel 'batch size' offset 0,0.3
set lmargin at screen 0.185
set rmargin at screen 0.965
set bmargin at screen 0.155
set tmargin at screen 0.91
set label 97 y_text at screen 0.035, graph 0.5 center rotate noenhanced
set label 98 title_text at screen 0.57,0.96 center font (strlen(title_text) > 52 ? ',11' : ',14') noenhanced
set label 99 synthetic_text at screen 0.985,0.03 right textcolor rgb red noenhanced
set key top right reverse Left samplen 2 spacing 1.05 width 0 noenhanced
set errorbars small

