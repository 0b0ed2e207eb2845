eval legend(3)
data = figure.'.dat'
# Curves stand beside each other, so that no bar hides another.
beside(batch, curve) = batch * 2**(0.14 * (curve - 2))
plot equal_low with lines linecolor rgb grey linewidth 1 dashtype 2 title 'equal to the smallest', \
     equal_high with lines linecolor rgb grey linewidth 1 dashtype 2 notitle, \
     data index 'all' using (beside($1, 1)):2:3:4 with yerrorlines pointtype 7 pointsize 0.8 \
       linecolor rgb blue linewidth 1.4 title 'everything retuned', \
     data index 'rate' using (beside($1, 2)):2:3:4 with yerrorlines pointtype 5 pointsize 0.8 \
       linecolor rgb orange linewidth 1.2 title 'the rate alone', \
     data index 'none' using (beside($1, 3)):2:3:4 with yerrorlines pointtype 9 pointsize 0.9 \
       linecolor rgb red linewidth 1.2 title 'nothing', \
     data index 'half' using (beside($1, 1)):2 with points pointtype 6 pointsize 0.9 \
       linecolor rgb blue linewidth 1.2 title 'half of the steps'
