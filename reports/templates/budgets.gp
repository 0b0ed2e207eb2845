set ylabel metric noenhanced offset 0.8,0
set key outside top left horizontal

array colours[6] = [blue, red, green, orange, purple, grey]
data = figure.'.dat'
plot for [i = 1:budgets] data index 'budget_'.i using 1:2 with linespoints pointtype 4 + i pointsize 0.7 \
       linecolor rgb colours[i] linewidth 1.2 title budget_text[i], \
     data index 'best' using 1:2 with points pointtype 6 pointsize 1.6 linecolor rgb 'black' linewidth 1.5 title 'best'
