eval legend((int(named) + has_bound + 1) / 2)

array points[8] = [7, 5, 9, 13, 11, 6, 4, 12]
array colours[8] = [blue, green, orange, purple, red, blue, green, purple]
data = figure.'.dat'
plot for [i = 1:rules] data index rule_name[i] using 1:2 with linespoints pointtype points[i] pointsize 0.7 \
       linecolor rgb colours[i] linewidth 1.2 title rule_text[i], \
     for [i = 1:rules] data index rule_name[i].'_at_least' using 1:2 with points pointtype 8 pointsize 1.1 \
       linecolor rgb 'black' linewidth 1 title (i == 1 && has_bound ? 'at least' : ''), \
     1 with lines linecolor rgb grey dashtype 3 notitle
