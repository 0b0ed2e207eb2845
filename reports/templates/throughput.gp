eval legend(3)
data = figure.'.dat'
plot data index 'line' using 1:3 with lines linecolor rgb grey linewidth 1 dashtype 3 title 'in proportion', \
     data index 'line' using 1:(ceiling) with lines linecolor rgb green linewidth 1 dashtype 2 title 'without fixed cost', \
     data index 'line' using 1:2 with lines linecolor rgb blue linewidth 1 title 'the line', \
     data index 'sizes' using 1:2:3:4 with yerrorbars pointtype 7 pointsize 0.7 \
       linecolor rgb blue linewidth 1.2 title 'measured', \
     data index 'sizes' using (knee_seen && $0 == 0 ? knee : NaN):(ceiling / 2) with points \
       pointtype 6 pointsize 1.5 linecolor rgb red linewidth 1.8 title (knee_seen ? knee_text : '')
