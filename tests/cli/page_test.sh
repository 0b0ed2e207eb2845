#!/bin/sh
# report.html in a browser without a screen: pictures of it at two widths, no message in the console, every figure's
# points say their values and a run, the button changes the axes, tables sort, and the page asks nobody for anything.
set -u
browser=
for name in chromium chromium-browser google-chrome; do
  command -v $name >/dev/null && { browser=$name; break; }
done
[ -n "$browser" ] || { echo "chromium is not installed: report.html is not shown"; exit 77; }
command -v gnuplot >/dev/null || { echo "gnuplot is not installed: no figures to show"; exit 77; }
. tests/cli/lib.sh
export BATCHLAB_REPORTS="$scratch/reports"
unset BATCHLAB_DATA
sweep runs quadratic --preset tiny
report=$scratch/reports/quadratic/tiny/report.html

# The browser's own folder is in $scratch; its sandbox needs rights that a container does not give.
browse() {
  timeout 120 $browser --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --enable-logging=stderr --user-data-dir="$scratch/browser" "$@" \
    2>"$scratch/browser.err"
  ! grep CONSOLE "$scratch/browser.err" || { echo "--- the console has a message"; failed=1; }
}
for width in 400 1280; do
  browse --hide-scrollbars --window-size=$width,1600 --screenshot="$scratch/$width.png" "file://$report" >/dev/null
  [ "$(wc -c <"$scratch/$width.png")" -gt 30000 ] || { echo "--- no picture of $width pixels"; failed=1; }
done
# A link is followed when a reader asks for it; nothing else leaves the file.
grep -n 'src=\|@import\|url([^#]\|<link\|href="http' "$report" && { echo "--- the page needs another file"; failed=1; }

# What a reader does, done by a script at the page's end; what is seen then is the element "said".
sed 's|</body></html>||' "$report" >"$scratch/page.html"
cat >>"$scratch/page.html" <<'HTML'
<pre id="said"></pre><script>
const said=[],say=(...words)=>said.push(words.join(' '));
window.addEventListener('error',event=>say('error',event.message));
const key=(svg,name)=>svg.dispatchEvent(new KeyboardEvent('keydown',{key:name,bubbles:true}));
for(const figure of document.querySelectorAll('figure')){
  const[log,linear]=figure.querySelectorAll('svg'),tip=figure.querySelector('.tip');
  for(const[kind,svg]of[['log',log],['linear',linear]]){
    key(svg,'ArrowRight');
    const first=tip.textContent;
    key(svg,'ArrowRight');
    say('point',figure.id,kind,tip.hidden?'hidden':'shown',first!==tip.textContent?'moves':'stays',first);
    key(svg,'Escape');
    if(!tip.hidden)say('escape',figure.id);
  }
}
const figure=document.getElementById('figure-scaling'),[log,linear]=figure.querySelectorAll('svg');
const shown=()=>[log,linear].map(svg=>getComputedStyle(svg).display==='none'?0:1).join('');
const button=figure.querySelector('button');
const before=shown();button.click();const after=shown();button.click();
say('axes',before,after,shown(),button.getAttribute('aria-pressed'));
const point=log.querySelector('g[id^=gnuplot_plot] use').getAttribute('transform').match(/[0-9.]+/g).map(Number);
const box=log.getBoundingClientRect(),scale=box.width/log.viewBox.baseVal.width;
log.dispatchEvent(new PointerEvent('pointermove',{clientX:box.left+point[0]*scale+3,clientY:box.top+point[1]*scale-2}));
say('hover',figure.querySelector('.tip').textContent);
figure.querySelector('.tip a').click();
say('run',document.getElementById('trials').open,document.activeElement.cells?.[0].textContent);
const heads=document.querySelector('#trials thead tr').cells;
heads[1].querySelector('button').click();heads[1].querySelector('button').click();
say('sorted',heads[1].getAttribute('aria-sort'),document.querySelector('#trials tbody tr').cells[1].textContent);
say('wide',document.documentElement.scrollWidth<=innerWidth);
document.getElementById('said').textContent=said.join('\n');
</script>
HTML
browse --window-size=400,900 --dump-dom "file://$scratch/page.html" >"$scratch/dom"
sed -n '/<pre id="said">/,/<\/pre>/p' "$scratch/dom" | sed 's/<pre id="said">//; s/<\/pre>.*//' >"$scratch/out"
figures=$(grep -c '<figure ' "$report")
[ "$figures" -ge 12 ] || fail "only $figures figures"
same "$(grep -c '^point figure-[a-z_]* [a-z]* shown moves .*batch size [0-9]' "$scratch/out")" $((2 * figures)) "drawings whose points speak"
same "$(grep -c '^point .*batchlab show r[0-9a-f]\{12\}' "$scratch/out")" $((2 * figures)) "drawings whose points name a run"
says out '^axes 10 01 10 false$'
says out '^hover batch size 1, steps [0-9,]*, seeds 1, learning rate [0-9.]*run r[0-9a-f]*: batchlab show r[0-9a-f]*$'
run=$(sed -n 's/^hover .*show //p' "$scratch/out")
says out "^run true $run\$"
says out '^sorted descending 256$'
says out '^wide true$'
! grep '^error\|^escape' "$scratch/out" || failed=1
exit $failed
