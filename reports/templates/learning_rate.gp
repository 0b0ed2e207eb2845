eval legend((4 + has_lost + has_edge + has_saturating) / 2)

# Rates tried: the darker, the closer to the best; crosses never arrived.
set palette defined (1 '#333333', 1.25 '#8a8a8a', 2 '#dddddd')
set cbrange [1:2]
unset colorbox

data = figure.'.dat'
plot data index 'rules' using 1:2 with lines linecolor rgb green linewidth 1.5 title 'square root', \
     data index 'rules' using 1:3 with lines linecolor rgb orange dashtype 2 linewidth 1.5 title 'linear', \
     data index 'rules' using 1:4 with lines linecolor rgb purple dashtype 4 linewidth 1.5 \
       title (has_saturating ? 'saturating' : ''), \
     data index 'arrived' using 1:2:4 with points pointtype 7 pointsize 0.5 palette notitle, \
     data index 'lost' using 1:2 with points pointtype 2 pointsize 0.4 linecolor rgb grey \
       title (has_lost ? 'tried, dropped' : ''), \
     data index 'best' using 1:2 with lines linecolor rgb blue linewidth 1.2 notitle, \
     data index 'best' using 1:($3 == 1 ? $2 : NaN) with points pointtype 7 pointsize 0.9 linecolor rgb blue title 'best', \
     data index 'best' using 1:($3 == 1 ? NaN : $2) with points pointtype 7 pointsize 1.1 linecolor rgb 'white' notitle, \
     data index 'best' using 1:($3 == 1 ? NaN : $2) with points pointtype 6 pointsize 1.1 linecolor rgb blue linewidth 1.5 \
       title (has_edge ? 'best, at the edge' : '')
