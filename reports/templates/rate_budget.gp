eval legend(lines)

array points[4] = [7, 6, 5, 4]
array colours[4] = [blue, blue, orange, orange]
array dashes[4] = [1, 2, 1, 2]
data = figure.'.dat'
plot for [i = 1:lines] data index 'line_'.i using 1:2:3:4 with yerrorbars pointtype points[i] pointsize 0.5 \
       linecolor rgb colours[i] linewidth 1.2 notitle, \
     for [i = 1:lines] data index 'line_'.i using 1:2 with linespoints pointtype points[i] pointsize 0.7 \
       linecolor rgb colours[i] dashtype dashes[i] linewidth 1.2 title line_text[i]
