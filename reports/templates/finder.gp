x_text = 'learning rate'
set label 95 x_text
eval sizes_legend(lines + 3)

array points[3] = [7, 5, 9]
array marks[3] = [red, green, blue]
data = figure.'.dat'
plot for [i = 1:lines] data index 'curve_'.i using 1:2 with lines linecolor rgb colours[i] linewidth 1.4 title size_text[i], \
     for [i = 1:3] data index 'suggestion_'.i using 1:2 with points pointtype points[i] pointsize 1.0 \
       linecolor rgb marks[i] title suggestion_text[i]
