#!/bin/sh
# dist.sh FOLDER BATCHLAB [PLUGIN.so] TEST...: packs a folder that runs on a machine with a C library and
# nothing else (docs/cuda.md). Programs find lib/ by their RUNPATH.
set -eu
folder=$1
shift
rm -rf "$folder"
mkdir -p "$folder/lib" "$folder/tests/gpu" "$folder/datasets" "$folder/scripts" "$folder/reports"
for file in "$@"; do
  case $file in
    */batchlab | *.so) cp "$file" "$folder/" ;;
    *) cp "$file" "$folder/tests/" ;;
  esac
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
echo "$folder: $(du -sh "$folder" | cut -f1), libraries $(ls "$folder/lib" | tr '\n' ' ')"
