eval legend((lines + 1) / 2)

array points[7] = [7, 5, 9, 13, 11, 15, 4]
array colours[7] = [blue, green, orange, purple, red, grey, 'black']
data = figure.'.dat'
plot for [i = 1:lines] data index 'line_'.i using 1:2:3:4 with yerrorbars pointtype points[i] pointsize 0.5 \
       linecolor rgb colours[i] linewidth 1.2 notitle, \
     for [i = 1:lines] data index 'line_'.i using 1:2 with linespoints pointtype points[i] pointsize 0.7 \
       linecolor rgb colours[i] linewidth 1.2 title line_text[i]
