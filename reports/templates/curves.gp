set xlabel x_text offset 0,0.3 noenhanced
set tmargin at screen 0.735
set key at screen 0.185,0.925 left top vertical maxrows 3 samplen 1.5 width -1 title 'batch size' left

data = figure.'.dat'
plot for [i = 1:lines] data index 'size_'.i using 1:2 with steps linecolor rgb colours[i] linewidth 1.4 title size_text[i], \
     target with lines linecolor rgb '#333333' dashtype 3 linewidth 1.2 title (target > 0 ? 'target' : '')
