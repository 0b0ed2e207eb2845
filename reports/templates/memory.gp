eval legend(2 + (limit == limit) + (parameters_mib == parameters_mib))
data = figure.'.dat'
plot data index 'line' using 1:2 with lines linecolor rgb blue linewidth 1 title 'the line', \
     data index 'sizes' using 1:2 with points pointtype 7 pointsize 0.7 \
       linecolor rgb blue linewidth 1.2 title sizes_text, \
     data index 'line' using 1:(limit) with lines linecolor rgb red linewidth 1.2 dashtype 2 \
       title (limit == limit ? limit_text : ''), \
     data index 'line' using 1:(parameters_mib * $1) with lines linecolor rgb grey linewidth 1 dashtype 3 \
       title (parameters_mib == parameters_mib ? 'parameters × batch size, which is wrong' : '')
