
# The same figure again, for slides and for papers.
set terminal pngcairo size 1040,780 font 'sans-serif,14' fontscale 1.5 linewidth 2 pointscale 2 background 'white'
set output figure.'.png'
replot
set terminal pdfcairo size 3.4in,2.55in font 'sans-serif,14' fontscale 0.34 linewidth 1 pointscale 0.5
set output figure.'.pdf'
replot
set output
