#!/bin/sh
# The golden runs on processors that are not here, by emulation: 64-bit Arm, and x86-64 without
# AVX-512 and without AVX. What is missing for one is said and counted. Ends with one total.
# portable.sh CC FLAGS...: the native compiler and the flags of the program.
set -u
cc=$1
shift
out=build/portable
mkdir -p $out/include
pass=0 fail=0 skip=0

header=$(echo '#include <nettle/sha2.h>' | $cc -M -x c - 2>/dev/null | tr ' ' '\n' | grep 'nettle/sha2.h$')
[ -n "$header" ] || { echo "portable: nettle's headers are missing"; exit 69; }
ln -sfn "$(dirname "$header")" $out/include/nettle
echo '#define BL_BUILD_CC ""
#define BL_BUILD_TYPE ""
#define BL_BUILD_FLAGS_SUM ""
#define BL_BUILD_DIR ""' > $out/include/bl_build.h

# All that a run needs and that takes no library but libm.
sources="$(ls engine/base/*.c engine/config/*.c engine/model/*.c engine/noise/*.c engine/optim/*.c engine/train/*.c \
  kernels/*.c kernels/ref/*.c | grep -v -e base/gzip -e base/tar -e config/doc.c)
  engine/data/sampler.c engine/data/image/augment.c tests/unit/tiny_data.c tests/unit/golden.c
  tests/portable/portable_main.c tests/portable/portable_sha256.c tests/portable/portable_doc.c"

# build PROGRAM COMPILER ISA:FLAGS...: static, so that the emulator needs no other machine's files.
build() {
  program=$1 compiler=$2
  shift 2
  objects=$out/$program.objects
  rm -rf "$objects" && mkdir -p "$objects" || return 1
  for isa in "$@"; do
    for c in kernels/cpu/*.c; do
      # shellcheck disable=SC2086
      $compiler $flags ${isa#*:} -DBL_ISA="${isa%%:*}" -DBL_ISA_"${isa%%:*}"=1 -c "$c" \
        -o "$objects/${isa%%:*}_$(basename "$c" .c).o" || return 1
    done
  done
  # shellcheck disable=SC2086
  $compiler $flags $sources "$objects"/*.o -static -Wl,--gc-sections -lm -o $out/$program
}

# run NAME COMMAND...
run() {
  name=$1
  shift
  if "$@" > $out/log 2> $out/warnings; then pass=$((pass + 1)); else fail=$((fail + 1)); fi
  echo "$name: $(tr '\n' ' ' < $out/log)"
}

flags="$* -std=c17 -D_GNU_SOURCE -O2 -pthread -ffunction-sections -I. -I$out/include"
have() { command -v "$1" >/dev/null 2>&1; }
missing() {
  skip=$((skip + 1))
  echo "SKIPPED $1: there is no $2"
}

arm=aarch64-linux-gnu-gcc
if ! have $arm; then missing aarch64 $arm
elif ! have qemu-aarch64; then missing aarch64 qemu-aarch64
elif build aarch64 $arm scalar:; then run aarch64 qemu-aarch64 $out/aarch64
else fail=$((fail + 1)); echo "aarch64: does not build"
fi

if [ "$($cc -dumpmachine | cut -d- -f1)" != x86_64 ]; then missing x86-64 'x86-64 compiler'
elif build x86_64 "$cc" scalar: "avx2:-mavx2 -mfma" \
  "avx512:-mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma"; then
  run 'x86-64 here' $out/x86_64
  for cpu in Haswell Nehalem; do
    if have qemu-x86_64; then run "x86-64 as $cpu" qemu-x86_64 -cpu $cpu $out/x86_64
    else missing "x86-64 as $cpu" qemu-x86_64
    fi
  done
else fail=$((fail + 1)); echo "x86-64: does not build"
fi
echo "$pass passed, $fail failed, $skip skipped"
[ "$fail" -eq 0 ]
