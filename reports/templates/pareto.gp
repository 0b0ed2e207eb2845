eval legend((targets + 4) / 3)

array points[6] = [7, 5, 9, 13, 11, 15]
array colours[6] = [blue, red, green, orange, purple, grey]
grouped(n) = n < 1000 ? sprintf('%.0f', n) : sprintf('%.0f,%03.0f', floor(n / 1000), n - 1000 * floor(n / 1000))
label_of(row, size) = int(row) % label_every == 0 ? grouped(size) : ''
# With linear axes most points lie in a corner, where labels have no room.
linear_too = "label_of(row, size) = ''"
# A label hides the line behind it.
set style textbox opaque noborder margins 0.3,0.1
data = figure.'.dat'
plot for [i = 1:targets] data index 'curve_'.i using 2:3 with lines linecolor rgb colours[i] linewidth 1.2 notitle, \
     for [i = 1:targets] data index 'curve_'.i using 4:5 with lines linecolor rgb colours[i] dashtype 3 linewidth 1.0 notitle, \
     for [i = 1:targets] data index 'target_'.i using 2:5 with points pointtype points[i] pointsize 0.7 \
       linecolor rgb colours[i] linewidth 1.2 title target_text[i], \
     NaN with lines linecolor rgb grey linewidth 1.2 title 'fit', \
     NaN with lines linecolor rgb grey dashtype 3 linewidth 1.0 title 'hyperbola', \
     data index 'target_'.targets using 2:5:(label_of($0, $1)) with labels boxed left offset 0.6,0.5 font ',11' notitle
