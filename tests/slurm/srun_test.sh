#!/bin/sh
# A run that is a program under `srun` (docs/external.md), on a real Slurm of one node: the same values as without it, a
# stop and a resume change nothing, and neither a process nor a job step is left.
set -u
. tests/slurm/cluster.sh
missing=$(cluster_missing)
[ -z "$missing" ] || { echo "$missing is not installed (sh scripts/setup.sh slurm)"; exit 77; }
. tests/cli/lib.sh
trap 'cluster_stop; rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM
cluster_start "$scratch/cluster" || { echo "no cluster: $(tail -3 "$scratch"/cluster/*.out)"; exit 1; }
trainer_project
mkdir -p experiments/twin
sampled own twins
cat >experiments/twin/sweep.lua <<'END'
return function(exp)
  exp:run { title = "two", { batch_size = 4, learning_rate = 0.5, seed = 1, max_steps = 60 },
    { batch_size = 32, learning_rate = 0.5, seed = 1, max_steps = 60 } }
end
END
twin() { # twin COMMAND
  cat >experiments/twin/experiment.cfg <<END
title = "twins";
external: { command = [$1"$trainer", "own", ""]; repeats = "exact"; epoch_rows = 65536; grace = 20.0; };
metric = "expected_loss";
END
}
bodies() { for log in "$scratch/$1"/twin/r*/log.jsonl.gz; do zcat "$log" | sed -e 1d -e '$d' | sha256sum; done | sort; }
nothing() {
  for turn in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    left=$(grep -lsa "BATCHLAB_RUN=$scratch" /proc/[0-9]*/environ)$(squeue -h 2>/dev/null)
    [ -n "$left" ] || return 0
    sleep 0.5
  done
  fail "left after $1: $left"
}
twin ""
export BATCHLAB_RUNS="$scratch/alone"
try 0 work twin --progress none
twin '"srun", "--quiet", "--ntasks=1", '
export BATCHLAB_RUNS="$scratch/srun"
try 0 work twin -j2 --progress none
same "$(bodies srun)" "$(bodies alone)" 'logs under srun'
nothing 'a round'
export BATCHLAB_RUNS="$scratch/cut"
cut_again TERM "3 6" work twin
nothing 'a stop'
try 0 work twin --progress none
same "$(bodies cut)" "$(bodies alone)" 'logs after a stop'
nothing 'resuming'
exit $failed
