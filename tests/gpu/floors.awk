# floors.awk BENCH PEER: gpu_bench's table beside peer.py's, with the floors that docs/cuda.md names. One line a
# floor: "met" or "missed", the ratio, what it is of. Nothing is hidden: without PyTorch's times there is no floor.
BEGIN { FS = "," }
/^#/ || /^net,/ { next }
FNR == NR {
  key = $1 "," $2
  if ($3 == 1) alone[key] = $4
  if ($3 > 1) { rate[key] = $5; runs = $3 }
  order[n++] = key
  next
}
{ peer[$1 "," $2 "," $3] = $4 }
function check(what, ratio, least) { printf("%-7s %8.2f times, floor %-3g %s\n", (ratio >= least) ? "met" : "missed", ratio, least, what) }
END {
  for (i = 0; i < n; i++) {
    k = order[i]
    if (seen[k]++) continue
    split(k, f, ",")
    eager = peer[k ",eager"]; graph = peer[k ",graph"]
    if (eager > 0 && f[2] <= 128) check("one run of " f[1] " at B = " f[2] " against PyTorch, eager", eager / alone[k], 5)
    if (graph > 0 && f[2] >= 2048) check("one run of " f[1] " at B = " f[2] " against PyTorch, CUDA graph", graph / alone[k], 1)
    if (eager > 0 && f[2] <= 128 && rate[k] > 0) check(runs " runs of " f[1] " at B = " f[2] " against PyTorch, eager, one after the other", rate[k] * eager / 1e6, 50)
  }
}
