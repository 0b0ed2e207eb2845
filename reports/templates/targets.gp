eval legend((targets + 2) / 2)

array points[6] = [7, 5, 9, 13, 11, 15]
array colours[6] = [blue, red, green, orange, purple, grey]
data = figure.'.dat'
plot for [i = 1:targets] data index 'curve_'.i using 1:2 with lines linecolor rgb colours[i] linewidth 1.0 notitle, \
     for [i = 1:targets] data index 'target_'.i using 1:2:3:4 with yerrorbars pointtype points[i] pointsize 0.7 \
       linecolor rgb colours[i] linewidth 1.2 title target_text[i], \
     for [i = 1:targets] data index 'critical_'.i using 1:5 with points pointtype 2 pointsize 1.3 \
       linecolor rgb 'black' linewidth 1.8 title (i == 1 ? cross_text : '')
