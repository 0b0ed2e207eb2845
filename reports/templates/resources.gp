eval legend((strlen(core_seconds_text) > 0) + (strlen(examples_text) > 0) + (strlen(memory_text) > 0) + (strlen(joules_text) > 0))

data = figure.'.dat'
plot data index 'relative' using 1:2:3:4 with yerrorlines pointtype 7 pointsize 0.7 \
       linecolor rgb blue linewidth 1.2 title core_seconds_text, \
     data index 'relative' using 1:5 with linespoints pointtype 5 pointsize 0.6 \
       linecolor rgb red linewidth 1.2 dashtype 2 title examples_text, \
     data index 'relative' using 1:6 with linespoints pointtype 9 pointsize 0.7 \
       linecolor rgb green linewidth 1.2 dashtype 4 title memory_text, \
     data index 'relative' using 1:7 with linespoints pointtype 13 pointsize 0.8 \
       linecolor rgb purple linewidth 1.2 dashtype 5 title joules_text
