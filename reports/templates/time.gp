eval legend(1 + has_censored)
data = figure.'.dat'
plot data index 'reached' using 1:2 with lines linecolor rgb blue linewidth 1 notitle, \
     data index 'reached' using 1:2:3:4 with yerrorbars pointtype 7 pointsize 0.7 \
       linecolor rgb blue linewidth 1.2 notitle, \
     data index 'censored' using 1:2 with points pointtype 8 pointsize 1.0 linecolor rgb blue linewidth 1.2 \
       title (has_censored ? 'not reached' : ''), \
     data index 'reached' using 1:(fastest_known && $1 == fastest ? $2 : NaN) with points \
       pointtype 6 pointsize 1.5 linecolor rgb red linewidth 1.8 title (fastest_known ? 'fastest: batch '.fastest_label : '')
