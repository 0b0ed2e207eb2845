# Sourced. cluster_start FOLDER: a Slurm of one node on this machine, all of it below FOLDER and owned
# by this user: munged, slurmctld, slurmd. cluster_stop ends these three. Needs the variable SLURM_CONF
# for every Slurm command, which it exports.
cluster_missing() { # the first program that is not installed; nothing: all are
  for program in munged slurmctld slurmd sbatch scontrol squeue; do
    command -v $program >/dev/null || PATH=$PATH:/usr/sbin command -v $program >/dev/null || { echo $program; return; }
  done
}

cluster_start() {
  cluster=$1
  PATH=$PATH:/usr/sbin
  user=$(id -un)
  port=$((20000 + $$ % 20000))
  mkdir -p "$cluster/state" "$cluster/spool"
  chmod 700 "$cluster"
  (umask 077; head -c 1024 /dev/urandom >"$cluster/munge.key")
  # A requeued job waits until its old credential is over: 5 s here (the least), 120 s otherwise.
  cat >"$cluster/slurm.conf" <<EOF
ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$cluster/munge.socket,cred_expire=5
StateSaveLocation=$cluster/state
SlurmdSpoolDir=$cluster/spool
SlurmctldPidFile=$cluster/slurmctld.pid
SlurmdPidFile=$cluster/slurmd.pid
SlurmdParameters=config_overrides
SlurmctldParameters=idle_on_node_suspend
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0
KillWait=2
ReturnToService=2
MailProg=/bin/true
NodeName=localhost NodeAddr=127.0.0.1 CPUs=4 RealMemory=1024 State=UNKNOWN
PartitionName=test Nodes=localhost Default=YES MaxTime=INFINITE State=UP
EOF
  export SLURM_CONF="$cluster/slurm.conf"
  munged -F --force --key-file="$cluster/munge.key" --socket="$cluster/munge.socket" --pid-file="$cluster/munge.pid" \
    --log-file="$cluster/munge.log" --seed-file="$cluster/munge.seed" --num-threads=2 >"$cluster/munged.out" 2>&1 &
  munged_pid=$!
  i=0
  while [ ! -S "$cluster/munge.socket" ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done
  slurmctld -D -f "$SLURM_CONF" >"$cluster/slurmctld.out" 2>&1 &
  slurmctld_pid=$!
  slurmd -D -N localhost -f "$SLURM_CONF" >"$cluster/slurmd.out" 2>&1 &
  slurmd_pid=$!
  i=0
  until [ "$(sinfo -h -o %T 2>/dev/null)" = idle ]; do
    sleep 0.2
    i=$((i + 1))
    [ $i -lt 100 ] || { tail -5 "$cluster"/*.out "$cluster"/*.log; return 1; }
  done
}

cluster_stop() {
  scancel -u "$(id -un)" 2>/dev/null || true
  for pid in ${slurmd_pid:-} ${slurmctld_pid:-} ${munged_pid:-}; do
    kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
  done
}
