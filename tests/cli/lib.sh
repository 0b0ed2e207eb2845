# What the tests of the command line share; a test begins with
#
#     set -u
#     . tests/cli/lib.sh
#
# in the repository's root, and ends with `exit $failed`. It then has
#   $BATCHLAB   the program, by its full path: a test may change folders
#   $scratch    a folder of its own, removed at the end
#   $failed     0, and 1 once anything failed
# and no variable of the caller's that chooses kernels, stores or data.
case $BATCHLAB in /*) ;; *) BATCHLAB=$PWD/$BATCHLAB ;; esac
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
unset BL_FORCE_IMPL
failed=0

# fail WORDS...: with what the last command printed.
fail() {
  echo "--- $*"
  cat "$scratch/out" "$scratch/err" 2>/dev/null
  failed=1
}

# try STATUS arguments...: batchlab has to end with the status. Its output goes to $scratch/out and $scratch/err.
try() {
  want=$1
  shift
  "$BATCHLAB" "$@" >"$scratch/out" 2>"$scratch/err"
  status=$?
  [ "$status" = "$want" ] || fail "batchlab $*: exit $status, wanted $want"
}

# says out|err EXPRESSION: the last command printed it (a basic regular expression).
says() { grep -q -- "$2" "$scratch/$1" || fail "not said: $2"; }

# says_somewhere out|err TEXT: the same, of text in which each line break with its indent is one blank: where a line
# is folded depends on measured numbers
says_somewhere() { tr -s ' \n' '  ' <"$scratch/$1" | grep -q -- "$2" || fail "not said: $2"; }

# same GOT WANTED what
same() { [ "$1" = "$2" ] || fail "$3: '$1', wanted '$2'"; }

# project [EXPERIMENT...]: $scratch/project has what commands need, for experiments of the test's own and for what is
# written beside one: copies of scripts, templates, declarations and these experiments. No data, no cache.
project() {
  mkdir -p "$scratch/project/datasets" "$scratch/project/experiments" "$scratch/project/scripts" "$scratch/project/reports"
  cp datasets/*.cfg "$scratch/project/datasets/"
  cp -r scripts/lua "$scratch/project/scripts/"
  cp -r reports/templates "$scratch/project/reports/"
  for copied in "$@"; do cp -r "experiments/$copied" "$scratch/project/experiments/"; done
}

# sweep STORE arguments...: `batchlab run` into that store below $scratch, to its end, with an answer or without one.
# The store stays the one that later commands look at.
sweep() {
  export BATCHLAB_RUNS="$scratch/$1"
  shift
  "$BATCHLAB" run "$@" --progress none >"$scratch/out" 2>"$scratch/err"
  status=$?
  [ $status = 0 ] || [ $status = 5 ] || fail "batchlab run $*: exit $status"
}

# sums STORE FILE: the digest of that file of every run that has it.
sums() { (cd "$scratch/$1" && sha256sum */r*/"$2" 2>/dev/null); }

# cut_after SIGNAL EVENTS arguments...: batchlab, with --progress json, gets the signal once it has told so many
# events. 0: it was ended by that; else it came to its own end first.
cut_after() {
  signal=$1 events=$2
  shift 2
  rm -f "$scratch/events"
  mkfifo "$scratch/events"
  "$BATCHLAB" "$@" --progress json >/dev/null 2>"$scratch/events" &
  pid=$!
  {
    told=0
    while [ $told -lt "$events" ] && read -r event; do
      case $event in '{"event":'*) told=$((told + 1)) ;; esac
    done
    kill -"$signal" $pid 2>/dev/null
    cat >/dev/null
  } <"$scratch/events"
  wait $pid && status=0 || status=$?
  [ $status = 75 ] || [ $status -gt 128 ]
}

# cut_again SIGNAL "EVENTS..." arguments...: cut_after for each of these numbers; at least one has to be ended by the
# signal.
cut_again() {
  by=$1 turns=$2 ended=0
  shift 2
  for turn in $turns; do cut_after "$by" "$turn" "$@" && ended=$((ended + 1)); done
  [ $ended -gt 0 ] || fail "no command was ended by $by"
}

# few: a project whose experiment "few" asks for little and is done in no time, on the quadratic model; its sweep.lua is
# the caller's.
few() {
  project
  mkdir "$scratch/project/experiments/few"
  cat >"$scratch/project/experiments/few/experiment.cfg" <<'CFG'
dataset = "none";
metric = "expected_loss";
model: { kind = "quadratic"; };
data: { rows = 1000; };
optimizer: { name = "sgd"; };
sweep: { batch_sizes = [16]; targets = [0.0001]; max_steps = 100; };
timing: { repeats = 1; seconds = 0.01; };
CFG
}

# sampled NAME TITLE [LINES]: an experiment whose runs train the quadratic model with noise, in milliseconds
sampled() {
  mkdir -p "experiments/$1"
  cat >"experiments/$1/experiment.cfg" <<END
title = "$2";
dataset = "none";
metric = "expected_loss";
data: { rows = 65536; };
model: { kind = "quadratic"; };
optimizer: { name = "sgd"; };
quadratic: { expectation = "sampled"; replicas = 16; };
${3:-}
END
}

# trainer_project: a project in which runs may be programs, and $trainer, the one of tests/external that trains batchlab's
# own runs. A claim whose owner is dead is free after a second.
trainer_project() {
  trainer=$(dirname "$BATCHLAB")/tests/external/external_trainer
  [ -x "$trainer" ] || trainer=$PWD/build/release/tests/external/external_trainer
  export BL_CLAIM_BEAT=0.1 BL_CLAIM_STALE=1
  project
  cd "$scratch/project" || exit 1
}
