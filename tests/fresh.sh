#!/bin/sh
# fresh.sh [SUITE...]: the two commands of the README on bare machines, Debian 12 and 13 by default.
#
# debootstrap makes each machine anew, with git and make and nothing else, from the mirror of this machine's apt.
# The working tree is copied in, without .git. Then, in this order, each one case:
#   1, 2  a user without sudo calls `make experiment` and `make test`: both stop and print the line that root has to
#         run, complete; nothing is built
#   3     root calls `make experiment NAME=rossmann PRESET=tiny`: it installs, builds, trains and answers
#   4     root calls `make test` with ten named tests: all pass
# This finds a package that scripts/setup.sh does not know, which no machine can that has it installed.
# It needs root, debootstrap and a mirror; where one is missing, the cases are skipped and counted. Two machines take
# at most 5 minutes on two quiet cores. The last line is "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/.." || exit 1
[ $# -gt 0 ] || set -- bookworm trixie
tests='unit/base_test unit/config_test unit/store_test unit/planner_test unit/stats_fit_test unit/sampler_test
  unit/device_steps_test kernels/exact_math_test cli/look_test cli/layers_test'
passed=0 failed=0 skipped=0 machine='' scratch=$(mktemp -d)
began=$(date +%s)

# Unmounts what was mounted and removes the machine.
tear_down() {
  [ -z "$machine" ] || umount "$machine/proc" 2>/dev/null
  rm -rf --one-file-system "$scratch"
}
trap tear_down EXIT
trap 'exit 130' INT TERM

finish() { # the last line, and the verdict
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ]
  exit
}
verdict() { # NAME RC: counts a case; shows the end of $scratch/log if it failed
  if [ "$2" -eq 0 ]; then
    passed=$((passed + 1))
    echo "ok $suite: $1 ($(($(date +%s) - began)) s)"
  else
    failed=$((failed + 1))
    echo "FAILED $suite: $1"
    tail -30 "$scratch/log"
  fi
}

# The mirror that apt uses for Debian itself.
mirror() {
  { apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null
    sed -n 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\(http[^ ]*\) .*/Debian \2/p; s/^URIs: *\(http[^ ]*\).*/Debian \1/p' \
      /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null
  } | awk '$1 == "Debian" && $2 ~ /debian\/?$/ { print $2; exit }'
}

# Makes the machine in $machine: bare, with this working tree in /batchlab, and apt's proxy if there is one.
make_machine() {
  debootstrap --variant=minbase --include=git,make "$suite" "$machine" "$mirror" >"$scratch/log" 2>&1 || return
  mount -t proc proc "$machine/proc" 2>/dev/null
  cp /etc/resolv.conf "$machine/etc/resolv.conf" 2>/dev/null
  apt-config dump 2>/dev/null | grep -E '^Acquire::https?::Proxy' >"$machine/etc/apt/apt.conf.d/90proxy"
  mkdir "$machine/batchlab"
  { git ls-files -co --exclude-standard 2>/dev/null || find . -type f ! -path './build/*' ! -path './runs/*'; } |
    tar -cf - -T - | tar -xf - -C "$machine/batchlab"
  chown -R 0:0 "$machine/batchlab"
}

inside() { # USER COMMAND: in the machine, with a clean environment; what it says goes to $scratch/log
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LANG=C \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
    chroot --userspec="$1" "$machine" sh -c "cd /batchlab && $2" >"$scratch/log" 2>&1
}

# user_is_told COMMAND PACKAGE...: it stops with make's 2, and the line to run names each package.
user_is_told() {
  inside 1000:1000 "$1"
  [ $? = 2 ] || return
  shift
  grep -qx 'batchlab needs packages that are not installed. Run this as root, then the same command again:' "$scratch/log" || return
  for package in "$@"; do
    sed -n 's/^  apt-get update && apt-get install -y --no-install-recommends //p' "$scratch/log" | tr ' ' '\n' |
      grep -qxF "$package" || return
  done
  [ ! -e "$machine/batchlab/build" ]
}

experiment_answers() {
  inside 0:0 'make experiment NAME=rossmann PRESET=tiny ARGS="--progress plain"' &&
    [ -n "$(find "$machine/batchlab/reports" -name recommendation.txt -size +0)" ]
}

ten_pass() {
  inside 0:0 "make test T='$(echo $tests)'" && grep -Eq '^[1-9][0-9]+ passed, 0 failed' "$scratch/log" &&
    grep -q '^\[10/10\]' "$scratch/log"
}

why=
[ "$(id -u)" = 0 ] || why="only root can make a bare machine"
[ -n "$why" ] || command -v debootstrap >/dev/null || why="debootstrap is not installed (sh scripts/setup.sh fresh)"
[ -n "$why" ] || mirror=$(mirror)
[ -n "$why" ] || [ -n "$mirror" ] || why="apt names no mirror of Debian"
[ -z "$why" ] || { echo "SKIPPED bare machines: $why"; skipped=$((4 * $#)); finish; }

for suite in "$@"; do
  machine=$scratch/$suite
  if ! make_machine; then
    echo "SKIPPED $suite: $(grep '^E:' "$scratch/log" | tail -1) ($mirror)"
    skipped=$((skipped + 4))
    continue
  fi
  user_is_told 'make experiment NAME=rossmann PRESET=tiny' gcc libc6-dev pkg-config libconfig-dev liblua5.4-dev \
    zlib1g-dev nettle-dev gnuplot-nox
  verdict "a user is told what make experiment needs" $?
  user_is_told 'make test' gcc g++ libc6-dev pkg-config libconfig-dev gnuplot-nox libcmocka-dev
  verdict "a user is told what make test needs" $?
  experiment_answers
  verdict "make experiment as root" $?
  ten_pass
  verdict "make test as root, ten tests" $?
  umount "$machine/proc" 2>/dev/null
  rm -rf --one-file-system "$machine"
done
echo "bare machines: $(($(date +%s) - began)) s"
finish
