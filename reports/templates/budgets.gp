eval legend(1 + (budgets + has_zero) / 2)

array points[6] = [7, 5, 9, 13, 11, 15]
array colours[6] = [blue, red, green, orange, purple, grey]
linear_too = "y_low = 0"
data = figure.'.dat'
# Curves stand beside each other, so that no bar hides another.
beside(batch, curve) = batch * 2**(0.12 * (curve - (budgets + 1) / 2.0))
plot for [i = 1:budgets] data index 'budget_'.i using (beside($1, $7)):2:3:4 with yerrorlines pointtype points[i] pointsize 0.7 \
       linecolor rgb colours[i] linewidth 1.2 title budget_text[i], \
     data index 'best' using (beside($1, $7)):2 with points pointtype 6 pointsize 1.6 linecolor rgb 'black' linewidth 1.5 title 'best', \
     data index 'best' using (beside($1, $7)):($2 == 0 ? y_low : NaN) with points pointtype 6 pointsize 1.6 linecolor rgb 'black' linewidth 1.5 notitle, \
     data index 'zero' using (beside($1, $7)):(y_low) with points pointtype 11 pointsize 1.0 linecolor rgb 'black' title (has_zero ? 'zero' : '')
