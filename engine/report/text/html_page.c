/* The style and the script of report.html, a line a text. Without the script the page shows the
 * same figures and tables. */
#include "engine/report/text/html_page.h"
#include "engine/base/mem.h"

/* Figures keep a white ground in the dark style: their colours are chosen for it. */
static const char *const style[] = {
    ":root{color-scheme:light "
    "dark;--ink:#222;--ground:#fff;--line:#ccc;--quiet:#555;--link:#00508f}",
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e6e6;--ground:#16181b;--line:#444;--quiet:#"
    "b0b0b0;--link:#8cc4ff}}",
    "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 "
    "1rem;color:var(--ink);background:var(--ground)}",
    "a{color:var(--link)}nav ul{display:flex;flex-wrap:wrap;gap:.2rem "
    "1.2rem;list-style:none;padding:0}",
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}",
    "th,td{text-align:right;padding:.2rem .8rem;border-bottom:1px solid "
    "var(--line);white-space:nowrap}",
    "th{border-bottom:2px solid var(--ink)}",
    "th button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer}",
    "th[aria-sort=ascending] button::after{content:' \\2191'}",
    "th[aria-sort=descending] button::after{content:' \\2193'}",
    ".wide{overflow-x:auto}",
    ".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(22rem,100%),1fr));gap:"
    "1.5rem}",
    "figure{margin:0;min-width:0}figcaption{font-size:.9rem;color:var(--quiet)}",
    "svg{width:100%;height:auto;background:#fff}",
    ".synthetic{color:#b30000;background:#fff;font-weight:bold}",
    "details table{font-size:.85rem}",
    ".answer{border-left:.3rem solid var(--link);padding:.2rem 1rem;margin:1rem 0}.answer "
    "p{margin:.4rem 0;font-size:1.1rem}",
    "svg.other{display:none}svg:focus{outline:2px solid var(--link)}",
    ".mark{fill:none;stroke:#000;stroke-width:2;display:none}",
    ".tip{font-size:.85rem;margin:.2rem 0;padding:.3rem .6rem;border:1px solid var(--line)}.tip "
    "span{display:block}",
    ".made{font-size:.85rem;color:var(--quiet);margin:.2rem 0}.data{display:none}",
    "code{overflow-wrap:anywhere}button.scale{font:inherit;color:inherit;background:var(--ground);"
    "border:1px solid var(--quiet);border-radius:.2rem;cursor:pointer}",
    "button.scale[aria-pressed=true]{background:var(--link);color:var(--ground)}tr:focus{outline:"
    "2px solid var(--link)}",
    "@media "
    "print{body{max-width:none;margin:0;color:#000;background:#fff}nav,details,.made,.tip{display:"
    "none}figure,tr{break-inside:avoid}.figures{grid-template-columns:1fr 1fr}}",
};

/* A table's heads become buttons, by mouse and keyboard: a second press turns the order. Numbers
 * are compared as numbers, without the commas between their thousands. */
static const char *const sorting[] = {
    "for(const table of document.querySelectorAll('table')){",
    "  const heads=[...table.rows[0].cells],body=table.tBodies[0];",
    "  heads.forEach((head,column)=>{",
    "    const button=document.createElement('button');",
    "    button.append(...head.childNodes);head.append(button);",
    "    button.onclick=()=>{",
    "      const up=head.getAttribute('aria-sort')!=='ascending';",
    "      heads.forEach(other=>other.removeAttribute('aria-sort'));",
    "      head.setAttribute('aria-sort',up?'ascending':'descending');",
    "      const key=row=>{const text=row.cells[column].textContent.replace(/,/g,'');",
    "        const number=parseFloat(text.replace(/^[<>=\\s]+/,''));",
    "        return Number.isNaN(number)||/^r[0-9a-f]{12}$/.test(text)?text:number};",
    "      const order=(a,b)=>{const x=key(a),y=key(b);",
    "        if(typeof x!==typeof y)return typeof x==='number'?-1:1;",
    "        return x<y?-1:x>y?1:0};",
    "      body.append(...[...body.rows].sort((a,b)=>up?order(a,b):order(b,a)));",
    "    };",
    "  });",
    "}",
};

/* A figure's points say what they are, under the pointer and by the arrow keys. Where a point lies,
 * the SVG says; what it means is in the figure's .dat: the row that lies there on the figure's axes
 * (data-x, data-y: their ranges), two columns of which are the point's place. A drawing without
 * points has a point for each row. Its runs are those of the list of trials with the row's batch
 * size, learning rate and seed. A button changes between logarithmic and linear axes: both are
 * drawn, and one is shown. */
static const char *const figures[] = {
    "const trials=[...document.querySelectorAll('#trials tbody "
    "tr')].map(row=>({run:row.cells[0].textContent,",
    "  "
    "batch:Number(row.cells[1].textContent),rate:Number(row.cells[2].textContent),seed:Number(row."
    "cells[3].textContent)}));",
    "const rates=Object.fromEntries((document.querySelector('main').dataset.rates||'').split(' "
    "').filter(Boolean).map(pair=>pair.split(':').map(Number)));",
    "for(const figure of document.querySelectorAll('figure[data-x]')){",
    "  const drawings=[...figure.querySelectorAll('svg')],tip=figure.querySelector('.tip');",
    "  const range=(name)=>figure.getAttribute(name).split(':').map(Number);",
    "  const blocks=figure.querySelector('.data').textContent.split(/\\n\\n+/).map(block=>{",
    "    const "
    "lines=block.trim().split('\\n'),said=lines.filter(line=>line[0]==='#').map(line=>line.slice(2)"
    ");",
    "    const columns=(said[1]||'').replace(/,.*/,'').split(' "
    "'),rows=lines.filter(line=>line[0]!=='#')",
    "      .map(line=>line.split(' ').map(Number));",
    "    return{columns,rows,notes:said.slice(2).join(', ')}});",
    "  const number=value=>Math.abs(value)>=1000?Math.round(value).toLocaleString('en-US'):",
    "    String(Number(value.toPrecision(4)));",
    "  const cells=(row,block)=>Object.fromEntries(block.columns.map((name,i)=>[name,row[i]]));",
    "  const runs=(row,block)=>{",
    "    const of=cells(row,block),note=/batch size ([^,]+)(?:, learning rate ([^,]+), run "
    "(r\\w+))?/.exec(block.notes)||[];",
    "    if(note[3])return[note[3]];",
    "    const batch=of.batch_size??Number(note[1]);",
    "    const rate=of.learning_rate??of.rate??Number(note[2]||rates[batch]);",
    "    return[...new Set(trials.filter(t=>t.batch===batch&&Math.abs(t.rate/rate-1)<1e-3&&",
    "      (of.seed===undefined||t.seed===of.seed)).map(t=>t.run))]};",
    "  const words=(row,block,place)=>{",
    "    const order=[...place,...block.columns.keys()].filter((i,k,all)=>all.indexOf(i)===k);",
    "    const said=order.map(i=>[block.columns[i]?.replace(/_/g,' '),row[i]])",
    "      "
    ".filter(([name,value])=>name&&Number.isFinite(value)&&!/"
    "^(bracketed|shown|curve|bound|arrived|trials)$/.test(name)).map(([name,value])=>name+' "
    "'+number(value));",
    "    return[block.notes,...said].filter(Boolean).join(', ')};",
    "  drawings.forEach((svg,linear)=>{",
    "    const "
    "border=[...svg.querySelectorAll('path')].pop().getAttribute('d').match(/[\\d.]+/"
    "g).map(Number);",
    "    const[left,top,,bottom,right]=[border[0],border[1],0,border[3],border[4]];",
    "    const "
    "axis=(name,from,to)=>{const[low,high]=range(name+(linear?'-linear':'')),f=linear?Number:Math."
    "log;",
    "      return value=>from+(to-from)*(f(value)-f(low))/(f(high)-f(low))};",
    "    const px=axis('data-x',left,right),py=axis('data-y',bottom,top);",
    "    const inside=point=>point.x>=left-1&&point.x<=right+1&&point.y>=top-1&&point.y<=bottom+1;",
    "    let points=[...svg.querySelectorAll('g[id^=gnuplot_plot] use')].map(use=>{",
    "      "
    "const[x,y]=use.getAttribute('transform').match(/[\\d.]+/"
    "g).map(Number);return{x,y}}).filter(inside);",
    "    const drawn=points.length>0;",
    "    const all=blocks.flatMap(block=>block.rows.map(row=>({row,block})));",
    "    "
    "if(!drawn)points=all.map(({row,block})=>({x:px(row[0]),y:py(row[1]),row,block,place:[0,1]}))."
    "filter(inside);",
    "    for(const point of points)if(drawn){",
    "      let least=Infinity;",
    "      for(const{row,block}of all){",
    "        const near=(value,at,scale)=>Math.abs(scale(value)-at);",
    "        row.forEach((value,i)=>row.forEach((other,k)=>{if(i===k)return;",
    "          const "
    "off=near(value,point.x,px)+near(other,point.y,py)*9+(i>1)+(/rate/.test(block.columns)?0:.1);",
    "          if(off<least&&near(other,point.y,py)<1&&near(value,point.x,px)<25){",
    "            least=off;point.row=row;point.block=block;point.place=[i,k]}}))}}",
    "    points=points.filter(point=>point.row).sort((a,b)=>a.x-b.x||a.y-b.y)",
    "      .filter((point,i,list)=>!i||point.x!==list[i-1].x||point.y!==list[i-1].y);",
    "    if(!points.length)return;",
    "    const mark=document.createElementNS('http://www.w3.org/2000/svg','circle');",
    "    mark.setAttribute('class','mark');mark.setAttribute('r',9);svg.append(mark);",
    "    let at=-1;",
    "    const show=i=>{",
    "      if(i===at&&!tip.hidden)return;",
    "      at=i;const point=points[i],found=runs(point.row,point.block);",
    "      "
    "mark.setAttribute('cx',point.x);mark.setAttribute('cy',point.y);mark.style.display='inline';",
    "      tip.replaceChildren(words(point.row,point.block,point.place));",
    "      found.slice(0,3).forEach(run=>{",
    "        const "
    "line=document.createElement('span'),link=document.createElement('a'),command=document."
    "createElement('code');",
    "        link.href='#'+run;link.textContent=run;command.textContent='batchlab show '+run;",
    "        line.append('run ',link,': ',command);tip.append(line)});",
    "      if(found.length>3)tip.append(' and '+(found.length-3)+' more');",
    "      tip.hidden=false};",
    "    const hide=()=>{tip.hidden=true;mark.style.display='none';at=-1};",
    "    svg.addEventListener('pointermove',event=>{",
    "      const box=svg.getBoundingClientRect(),scale=svg.viewBox.baseVal.width/box.width;",
    "      const x=(event.clientX-box.left)*scale,y=(event.clientY-box.top)*scale;",
    "      let best=-1,least=20*scale;",
    "      points.forEach((point,i)=>{const "
    "off=Math.hypot(point.x-x,point.y-y);if(off<least){least=off;best=i}});",
    "      if(best>=0)show(best)});",
    "    svg.addEventListener('keydown',event=>{",
    "      const step={ArrowRight:1,ArrowDown:1,ArrowLeft:-1,ArrowUp:-1}[event.key];",
    "      if(step){show((at+step+points.length)%points.length);event.preventDefault()}",
    "      if(event.key==='Escape')hide();",
    "      if(event.key==='Enter'&&at>=0)tip.querySelector('a')?.click()});",
    "    svg.addEventListener('focus',()=>{if(at<0)show(0)});",
    "    "
    "figure.addEventListener('focusout',event=>{if(!figure.contains(event.relatedTarget))hide()});",
    "    svg.setAttribute('tabindex',0);",
    "  });",
    "  const button=document.createElement('button');",
    "  button.className='scale';button.textContent='Linear "
    "axes';button.setAttribute('aria-pressed','false');",
    "  button.onclick=()=>{",
    "    const linear=button.getAttribute('aria-pressed')!=='true';",
    "    button.setAttribute('aria-pressed',linear);tip.hidden=true;",
    "    drawings.forEach((svg,i)=>svg.classList.toggle('other',(i===1)!==linear))};",
    "  if(drawings.length===2)figure.querySelector('.made').prepend(button,' ');",
    "}",
    "document.addEventListener('click',event=>{",
    "  const run=/^#(r[0-9a-f]{12})$/.exec(event.target.getAttribute?.('href')||'');",
    "  if(!run)return;",
    "  const row=[...document.querySelectorAll('#trials tbody "
    "tr')].find(row=>row.cells[0].textContent===run[1]);",
    "  if(!row)return;",
    "  event.preventDefault();row.closest('details').open=true;",
    "  row.tabIndex=-1;row.scrollIntoView({block:'center'});row.focus()});",
};

static void lines(bl_buf *out, const char *const *line, size_t n) {
    for (size_t i = 0; i < n; i++) bl_buf_printf(out, "%s\n", line[i]);
}

void bl_report_html_style(bl_buf *out) {
    lines(out, style, BL_COUNT(style));
}

void bl_report_html_script(bl_buf *out) {
    lines(out, figures, BL_COUNT(figures));
    lines(out, sorting, BL_COUNT(sorting));
}
