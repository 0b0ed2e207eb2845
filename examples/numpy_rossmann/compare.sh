#!/bin/sh
# compare.sh FOLDER [ARGUMENTS of batchlab run]: the same small net on the same rows, trained by train.py in NumPy
# and by batchlab itself; the last lines are the two critical batch sizes with their intervals (docs/external.md).
#
# Start it in the repository, with DATA as plain.py needs it. FOLDER is made, and keeps runs and reports, so that a
# sweep that was stopped goes on. Python is $PYTHON, else python3.
set -eu
python=${PYTHON:-python3}
batchlab=$PWD/build/batchlab
export PYTHONPATH="$PWD/clients/python" OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1
mkdir -p "$1/datasets" "$1/experiments/numpy" "$1/experiments/own"
cp -r scripts reports examples "$1/"
cd "$1"
shift
[ -e table.csv ] || "$python" examples/numpy_rossmann/table.py

cat >datasets/own.cfg <<END
origin = "examples/numpy_rossmann/table.py";
folder = ".";
tables = ( {
  name = "table";
  number = ["weekday", "promo", "school", "day", "customers", "sales"];
  date = ["part"];
  files = ( { file = "table.csv"; sha256 = "$(sha256sum table.csv | cut -d' ' -f1)"; } );
} );
split = { by = "part"; valid = 4000; };
target = "sales";
transform = "none";
categorical = [];
continuous = ["weekday", "promo", "school", "day", "customers"];
ignored = ["part"];
END
sweep='sweep: {
  targets = [0.512]; batch_sizes = [16, 32, 64, 128, 256, 512, 1024, 2048]; seeds = 5;
  lr_start = 0.0625; lr_min = 0.0009765625; lr_max = 4.0; max_epochs = 40.0;
};'
cat >experiments/own/experiment.cfg <<END
dataset = "own";
model: { kind = "mlp"; hidden = [16]; batch_norm = false; embedding_dropout = 0.0; output = "linear"; };
loss = "mse"; metric = "rmse"; optimizer: { name = "sgd"; }; schedule: { name = "constant"; };
$sweep
END
cat >experiments/numpy/experiment.cfg <<END
external: {
  command = ["$python", "examples/numpy_rossmann/train.py"];
  inputs = ["examples/numpy_rossmann/train.py"];
  version = "NumPy"; repeats = "exact"; epoch_rows = 16000;
};
metric = "rmse";
$sweep
END
for name in own numpy; do
  echo 'return function(exp) require("sweep").critical_batch(exp, {}) end' >"experiments/$name/sweep.lua"
  "$batchlab" run "$name" --progress none "$@" >"$name.txt" || [ $? = 5 ]
done
grep -H '^Critical batch size\|^Half the efficiency' own.txt numpy.txt
