eval legend(2)
data = figure.'.dat'
plot data index 'line' using 1:2 with lines linecolor rgb blue linewidth 1 title line_text, \
     data index 'line' using 1:(fixed) with lines linecolor rgb grey linewidth 1 dashtype 3 title 'fixed part', \
     data index 'sizes' using 1:2:3:4 with yerrorbars pointtype 7 pointsize 0.7 \
       linecolor rgb blue linewidth 1.2 title 'measured'
