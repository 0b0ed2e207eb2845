set xlabel 'learning rate' offset 0,0.3
set tmargin at screen 0.735
set key at screen 0.185,0.925 left top vertical maxrows 3 samplen 1.5 width -1 title 'batch size' left

array points[3] = [7, 5, 9]
array marks[3] = [red, green, blue]
data = figure.'.dat'
plot for [i = 1:lines] data index 'curve_'.i using 1:2 with lines linecolor rgb colours[i] linewidth 1.4 title size_text[i], \
     for [i = 1:3] data index 'suggestion_'.i using 1:2 with points pointtype points[i] pointsize 1.0 \
       linecolor rgb marks[i] title suggestion_text[i]
