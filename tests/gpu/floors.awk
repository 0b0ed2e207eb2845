# floors.awk BENCH PEER: gpu_bench's table beside peer.py's. A line each:
#   met|missed RATIO ... : a floor of docs/cuda.md. Rossmann's net and SimpleNN at B <= 128 are bound by launches, not by
#     arithmetic: one run 5 times PyTorch eager, many runs at once 50 times as many steps.
#   figure ... : what no floor is set for, as arithmetic binds it on both sides: ratios beside PyTorch eager (with
#     its fused optimizer) and beside its CUDA graph; above 1 batchlab is faster. "-": PyTorch has no such time.
BEGIN { FS = "," }
/^#/ || /^net,/ { next }
FNR == NR {
  key = $1 "," $2
  if ($3 == 1) alone[key] = $4
  if ($3 > 1) { rate[key] = $5; runs[key] = $3 }
  order[n++] = key
  next
}
{ peer[$1 "," $2 "," $3] = $4 }
function check(what, ratio, least) { printf("%-7s %8.2f times, floor %-3g %s\n", (ratio >= least) ? "met" : "missed", ratio, least, what) }
function times(us, base) { return (us > 0 && base > 0) ? sprintf("%.2f", us / base) : "-" }
END {
  for (i = 0; i < n; i++) {
    k = order[i]
    if (seen[k]++) continue
    split(k, f, ",")
    eager = peer[k ",eager"]; graph = peer[k ",graph"]
    if (!(eager > 0) && !(graph > 0)) continue
    launches = (f[1] == "rossmann" || f[1] == "simplenn") && f[2] <= 128
    if (launches && eager > 0 && alone[k] > 0) check("one run of " f[1] " at B = " f[2] " against PyTorch, eager", eager / alone[k], 5)
    if (launches && eager > 0 && rate[k] > 0) check(runs[k] " runs of " f[1] " at B = " f[2] " against PyTorch, eager, one after the other", rate[k] * eager / 1e6, 50)
    all = rate[k] > 0 ? 1e6 / rate[k] : 0
    printf("figure  %s at B = %d: %.1f us a step; times PyTorch eager %s, graph %s; %d runs at once: eager %s, graph %s\n", f[1], f[2],
           alone[k], times(eager, alone[k]), times(graph, alone[k]), runs[k], times(eager, all), times(graph, all))
  }
}
