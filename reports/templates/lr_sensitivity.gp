x_text = 'learning rate'
set label 95 x_text
eval sizes_legend(lines + 1 + has_lost)

array points[10] = [7, 5, 9, 13, 11, 7, 5, 9, 13, 11]
data = figure.'.dat'
plot for [i = 1:lines] data index 'arrived_'.i using 1:2 with linespoints pointtype points[i] pointsize 0.6 \
       linecolor rgb colours[i] linewidth 1.2 title size_text[i], \
     for [i = 1:lines] data index 'lost_'.i using 1:($5 == 1 ? $2 : NaN) with points pointtype 8 pointsize 0.8 \
       linecolor rgb colours[i] linewidth 1 notitle, \
     NaN with points pointtype 8 pointsize 0.8 linecolor rgb grey title (has_lost ? 'stopped' : ''), \
     data index 'best' using 1:2 with points pointtype 6 pointsize 1.4 linecolor rgb 'black' linewidth 1.2 title 'best'
