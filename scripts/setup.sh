#!/bin/sh
# Finds what is missing to build, plot or test, installs it with apt-get where that needs no
# password (saying so first), and otherwise prints the exact line to run and stops.
#   setup.sh build|plot|test|compilers|slurm ...
missing=
need() { case " $missing " in *" $1 "*) ;; *) missing="$missing $1" ;; esac; }
have() { command -v "$1" >/dev/null 2>&1; }
lib() { have pkg-config && pkg-config --exists "$1" 2>/dev/null; }

for part in "$@"; do
  case $part in
    build)
      have cc || need gcc
      # A compiler without the C library's headers builds nothing.
      have cc && { echo '#include <stdlib.h>' | cc -E -x c - >/dev/null 2>&1 || need libc6-dev; }
      have cc || need libc6-dev
      have pkg-config || need pkg-config
      lib libconfig || need libconfig-dev
      lib lua5.4 || need liblua5.4-dev
      lib zlib || need zlib1g-dev
      lib nettle || need nettle-dev
      ;;
    plot) have gnuplot || need gnuplot-nox ;;
    test) lib cmocka || need libcmocka-dev ;;
    # What tests/bits.sh compares; it skips what is not there.
    compilers)
      have gcc || need gcc
      have clang || need clang
      ;;
    # A cluster of one node for tests/slurm; nothing else needs it.
    slurm)
      [ -x /usr/sbin/slurmctld ] || have slurmctld || need slurmctld
      [ -x /usr/sbin/slurmd ] || have slurmd || need slurmd
      have sbatch || need slurm-client
      [ -x /usr/sbin/munged ] || have munged || need munge
      ;;
    *) echo "setup.sh: unknown part '$part' (build, plot, test, compilers, slurm)" >&2; exit 2 ;;
  esac
done
[ -z "$missing" ] && exit 0

install="apt-get install -y --no-install-recommends$missing"
if ! have apt-get; then
  echo "batchlab needs what Debian calls:$missing" >&2
  echo "Install these with your system's package manager, then run the same command again." >&2
  exit 69
fi
if [ "$(id -u)" = 0 ]; then as=
elif have sudo && sudo -n true 2>/dev/null; then as='sudo -n '
else
  as= who='as root'
  have sudo && as='sudo ' who=yourself
  echo "batchlab needs packages that are not installed. Run this $who, then the same command again:" >&2
  echo "  ${as}apt-get update && ${as}$install" >&2
  exit 69
fi
echo "Installing what is missing:$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { ${as}apt-get update && ${as}env DEBIAN_FRONTEND=noninteractive $install; } >"$log" 2>&1; then
  tail -5 "$log" >&2
  echo "Installing failed. Run this yourself, then the same command again:" >&2
  echo "  ${as}$install" >&2
  exit 69
fi
