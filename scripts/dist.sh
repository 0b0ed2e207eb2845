#!/bin/sh
# dist.sh FOLDER BATCHLAB [PLUGIN.so] TEST...: packs a folder that runs on a machine with a C library and
# nothing else (docs/cuda.md). Programs find lib/ by their RUNPATH. Debugging symbols stay behind: the whole is to be
# carried to a machine with a card, and may take 48 MiB.
set -eu
most_kib=$((48 * 1024))
folder=$1
shift
rm -rf "$folder"
mkdir -p "$folder/lib" "$folder/tests/gpu" "$folder/datasets" "$folder/scripts" "$folder/reports"
for file in "$@"; do
  case $file in
    */batchlab | *.so) to=$folder/$(basename "$file") ;;
    *) to=$folder/tests/$(basename "$file") ;;
  esac
  cp "$file" "$to"
  ${STRIP:-strip} --strip-debug "$to"
  # What a bare machine has: the C library and its loader.
  ldd "$file" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' |
    grep -Ev '/(libc|libm|libdl|libpthread|librt|libgcc_s|libstdc\+\+)\.so' |
    while read -r library; do cp -L "$library" "$folder/lib/"; done
done
cp -r experiments "$folder/"
cp datasets/*.cfg "$folder/datasets/"
cp -r scripts/lua "$folder/scripts/"
cp -r reports/templates "$folder/reports/"
cp tests/gpu/run tests/gpu/peer.py tests/gpu/floors.awk "$folder/tests/gpu/"
mkdir -p "$folder/tests/bench"
cp tests/bench/peer_torch.py "$folder/tests/bench/"
cp tests/same_outputs.sh "$folder/tests/"
cp README.md "$folder/"
cp -r docs "$folder/"
[ -e "$folder/libbatchlab_cuda.so" ] || echo "$folder is without a CUDA backend: there is no nvcc here" >&2
kib=$(du -sk "$folder" | cut -f1)
echo "$folder: $((kib / 1024)) MiB, libraries $(ls "$folder/lib" | tr '\n' ' ')"
[ "$kib" -le $most_kib ] || { echo "$folder takes $kib KiB, and may take $most_kib: it could not be carried" >&2; exit 1; }
