
# The same figure again: for slides, for papers, and with linear axes for the page.
set terminal pngcairo size 1040,2 * height font 'sans-serif,14' fontscale 1.5 linewidth 2 pointscale 2 background 'white'
eval as_cairo
set output figure.'.png'
replot
set terminal pdfcairo size 3.4in,(3.4 * height / 520)in font 'sans-serif,14' fontscale 0.34 linewidth 1 pointscale 0.5
set output figure.'.pdf'
replot
unset logscale
eval x_linear
eval y_linear
eval linear_too
set terminal svg size 520,height font 'sans-serif,14' background 'white'
eval as_svg
set output figure.'.linear.svg'
replot
set output
