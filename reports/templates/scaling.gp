# The critical batch size: its interval as a band, its value as a line.
if (critical_known) {
  set object 1 rectangle from critical_low, graph 0 to critical_high, graph critical_top \
      fillcolor rgb orange fillstyle transparent solid 0.18 noborder behind
  set arrow 1 from critical, graph 0 to critical, graph critical_top nohead linecolor rgb orange linewidth 1.5 back
  if (critical_on_left) {
    set label 1 critical_label at critical, graph 0.06 right offset -0.6,0 noenhanced
  } else {
    set label 1 critical_label at critical, graph 0.06 left offset 0.6,0 noenhanced
  }
}

data = figure.'.dat'
plot data index 'curves' using 1:2 with lines linecolor rgb grey dashtype 2 linewidth 1.5 title (has_reached ? 'perfect scaling' : ''), \
     data index 'curves' using 1:3 with lines linecolor rgb green linewidth 1.5 \
       title (has_segments ? 'three segments' : ''), \
     data index 'curves' using 1:4 with lines linecolor rgb purple linewidth 1.5 \
       title (has_hyperbola ? 'hyperbola' : ''), \
     data index 'seeds' using 1:($3 > 0 ? $3 : NaN):(0):($2 - $3) with vectors nohead \
       linecolor rgb grey linewidth 1 notitle, \
     data index 'reached' using 1:2:3:4 with yerrorbars pointtype 7 pointsize 0.7 \
       linecolor rgb blue linewidth 1.2 title (has_reached ? 'measured' : ''), \
     data index 'censored' using 1:2 with points pointtype 8 pointsize 1.0 linecolor rgb blue linewidth 1.2 \
       title (has_censored ? 'not reached' : '')
