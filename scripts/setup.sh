#!/bin/sh
# setup.sh PART...: finds what is missing to build, plot or test, and installs it with apt-get where that needs no
# password (saying so first). Otherwise it prints the exact line to run and stops with 69.
#
# Called by `make experiment` (build plot), by `make test` (build plot test pictures) and by .ci/run (compilers, slurm, numpy, fresh).
# A part is a list of checks below; each check names the Debian package that mends it. A new dependency is one line
# here, nothing else; tests/fresh.sh runs both commands on bare machines and so finds one that was forgotten.
missing=
need() { case " $missing " in *" $1 "*) ;; *) missing="$missing $1" ;; esac; }
have() { command -v "$1" >/dev/null 2>&1; }
lib() { have pkg-config && pkg-config --exists "$1" 2>/dev/null; }
# A compiler without its library's headers builds nothing.
compiles() { echo "#include <$3>" | "$1" -E -x "$2" - >/dev/null 2>&1; }

for part in "$@"; do
  case $part in
    build)
      have cc || need gcc
      have cc && compiles cc c stdlib.h || need libc6-dev
      have pkg-config || need pkg-config
      lib libconfig || need libconfig-dev
      lib lua5.4 || need liblua5.4-dev
      lib zlib || need zlib1g-dev
      lib nettle || need nettle-dev
      ;;
    plot) have gnuplot || need gnuplot-nox ;;
    # The C++ compiler builds the CUDA back end for an emulated device; make calls it by this name.
    test)
      lib cmocka || need libcmocka-dev
      have "${CXX:-g++}" && compiles "${CXX:-g++}" c++ vector || need g++
      ;;
    # What reads PNG and JPEG files; without them the rest is built.
    pictures)
      lib libpng || need libpng-dev
      lib libjpeg || need libjpeg-dev
      ;;
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
    # For the example in NumPy of tests/cli/external_libraries_test.sh, which looks at both interpreters.
    numpy)
      python3 -c 'import numpy' 2>/dev/null || /usr/bin/python3 -c 'import numpy' 2>/dev/null || need python3-numpy
      ;;
    # Makes the bare machines of tests/fresh.sh.
    fresh) [ -x /usr/sbin/debootstrap ] || have debootstrap || need debootstrap ;;
    *)
      echo "setup.sh: unknown part '$part' (build, plot, test, pictures, compilers, slurm, numpy, fresh)" >&2
      exit 2
      ;;
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
# Another apt-get may hold the lock, as on a machine that has just been started: wait for it.
if ! { ${as}apt-get update && ${as}env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 ${install#apt-get}; } >"$log" 2>&1; then
  tail -5 "$log" >&2
  if grep -q 'Could not get lock' "$log"; then
    echo "Another program is installing packages. Wait until it has finished, then run the same command again." >&2
    exit 69
  fi
  echo "Installing failed. Run this yourself, then the same command again:" >&2
  echo "  ${as}$install" >&2
  exit 69
fi
