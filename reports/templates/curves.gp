eval sizes_legend(lines + 1)

data = figure.'.dat'
plot for [i = 1:lines] data index 'size_'.i using 1:2 with steps linecolor rgb colours[i] linewidth 1.4 title size_text[i], \
     target with lines linecolor rgb '#333333' dashtype 3 linewidth 1.2 title (target > 0 ? 'target' : '')
