#!/bin/sh
# submit: what it refuses, what it gives to sbatch, and how the batch script passes signals on.
# tests/slurm has the same with a real Slurm.
set -u
. tests/cli/lib.sh
export BATCHLAB_DATA=/nowhere BATCHLAB_RUNS="$scratch/it's here" BATCHLAB_CACHE="${BATCHLAB_CACHE:-$PWD/datasets/cache}"

submit() { # submit STATUS arguments...
  want=$1
  shift
  try "$want" submit "$@"
}

submit 2
says err 'which experiment'
submit 2 rossmann --workers 4
says err 'where to? --slurm'
for workers in 0 1001 x -1 ''; do
  submit 2 rossmann --slurm --workers "$workers"
  says err 'expected a number from 1 to 1000'
done
submit 2 rossmann --slurm --workers 4 -j 0
submit 2 nothing --slurm --workers 4
says err "no experiment 'nothing'"
submit 2 rossmann --slurm --workers 4 --preset huge --print

mkdir "$scratch/bin" "$scratch/empty"
before=$PATH
PATH=$scratch/empty
"$BATCHLAB" submit rossmann --slurm --workers 4 >"$scratch/out" 2>"$scratch/err"
status=$?
PATH=$before
[ $status = 69 ] || fail "without sbatch: exit $status"
says err 'there is no sbatch here'

# What sbatch gets is what --print shows.
printf '#!/bin/sh\ncat >"%s/given"\necho "Submitted batch job 7"\n' "$scratch" >"$scratch/bin/sbatch"
printf '#!/bin/sh\necho "$@" >>"%s/asked"\n' "$scratch" >"$scratch/bin/scontrol"
chmod +x "$scratch/bin/sbatch" "$scratch/bin/scontrol"
PATH=$scratch/bin:$PATH
tiny="rossmann --preset tiny --synthetic --set sweep.max_epochs=300"
submit 0 $tiny --slurm --workers 12 -j 2 --print
cp "$scratch/out" "$scratch/script"
for line in '#SBATCH --array=1-12' '#SBATCH --cpus-per-task=2' '#SBATCH --requeue' '#SBATCH --signal=B:USR1@120' \
  '#SBATCH --open-mode=append'; do
  grep -qx -- "$line" "$scratch/script" || fail "no line $line"
done
submit 0 $tiny --slurm --workers 12 -j 2
says out 'Submitted batch job 7'
cmp "$scratch/given" "$scratch/script" || fail "sbatch got something else"
printf '#!/bin/sh\ncat >/dev/null\nexit 1\n' >"$scratch/bin/sbatch"
submit 69 rossmann --slurm --workers 4
says err 'sbatch did not take the job'

# task SIGNAL WANTED: the script's exit status when it gets the signal while its worker trains.
task() {
  rm -rf "$scratch/asked" "$BATCHLAB_RUNS"
  SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=3 sh "$scratch/script" >"$scratch/out" 2>"$scratch/err" &
  shell=$!
  i=0
  until ls "$BATCHLAB_RUNS"/rossmann/*/claim.d >/dev/null 2>&1 || [ $i = 100 ]; do sleep 0.1; i=$((i + 1)); done
  kill -"$1" $shell
  wait $shell
  status=$?
  [ $status = "$2" ] || fail "after SIG$1 the script ends with $status, not $2"
}
task USR1 75
[ "$(cat "$scratch/asked")" = "requeue 7_3" ] || fail "asked of Slurm: $(cat "$scratch/asked")"
task TERM 75
[ ! -e "$scratch/asked" ] || fail "a task that was to end asks for another turn"
exit $failed
