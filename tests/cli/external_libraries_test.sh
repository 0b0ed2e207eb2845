#!/bin/sh
# Scripts with NumPy, PyTorch, the Trainer of Hugging Face transformers and Lightning, as far as these are installed
# for python3, /usr/bin/python3 or $PYTHON: the examples, and the callbacks of clients/python.
set -u
. tests/cli/lib.sh
root=$PWD
data=
for folder in datasets/cache ../shared/datasets $(echo "${BATCHLAB_DATA:-}" | tr : ' '); do
  [ -d "$folder" ] && data="$data $(cd "$folder" && pwd)"
done
project
cp -r examples "$scratch/project/"
mkdir "$scratch/project/mine"
cd "$scratch/project" || exit 1
export PYTHONPATH="$root/clients/python" PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
export BATCHLAB_RUNS="$scratch/runs" BATCHLAB_REPORTS="$scratch/reports" CUDA_VISIBLE_DEVICES=

# with MODULE: $python can import it. Else a line says that a part is skipped.
with() {
  for python in ${PYTHON:-} python3 /usr/bin/python3; do
    command -v "$python" >/dev/null && "$python" -c "import $1" 2>/dev/null && return
  done
  echo "SKIPPED $1: it is not installed"
  return 1
}
# from FILE: $DATA is the folder that has it.
from() {
  for folder in $data; do
    [ -e "$folder/$1" ] && { DATA=$(dirname "$folder/$1"); export DATA; return; }
  done
  echo "SKIPPED an example: there is no $1"
  return 1
}

if with numpy && from rossmann/train.csv.gz; then
  ran=1
  "$python" examples/numpy_rossmann/plain.py >"$scratch/out" 2>"$scratch/err" || fail "the plain script"
  says out '^step 2000: rmse 0.5'
  "$python" examples/numpy_rossmann/train.py >"$scratch/out" 2>"$scratch/err" || fail "the adapted script by hand"
  says out '^step 973: 0.5'
  try 0 init --command "$python examples/numpy_rossmann/train.py" --name sales --rows 16000 --metric rmse
  says err '^parameters: batch_size = 64, learning_rate = 0.05, seed = 1$'
  says err '^level 2 of 3: '
  try 0 check sales --twice
  says out 'sales: same bits'
  try 0 run sales --progress none --set sweep.batch_sizes=64,256 --set sweep.targets=0.6 --set sweep.seeds=1
  says out '^Fewest steps: batch size'
fi

if with torch && from mnist/train-images-idx3-ubyte.gz; then
  ran=1
  try 0 init --command "$python examples/pytorch_mnist/train.py" --name digits --rows 60000 --metric error
  says err '^level 2 of 3: '
  try 0 check digits --twice
  says out 'digits: '
fi

# experiment NAME ARGUMENT: mine/NAME.py with the argument
experiment() {
  mkdir -p "experiments/$1"
  cat >"experiments/$1/experiment.cfg" <<END
external: { command = ["$python", "mine/$1.py", "$2"]; inputs = ["mine/$1.py"]; epoch_rows = 64; grace = 600.0; };
metric = "eval_loss";
sweep: { batch_sizes = [8]; targets = [1.0]; lr_start = 0.05; };
END
  echo 'return function(exp) require("sweep").critical_batch(exp, {}) end' >"experiments/$1/sweep.lua"
}
cat >mine/line.py <<'END'
import torch
torch.set_num_threads(1)
torch.manual_seed(0)
x = torch.randn(96, 4)
y = x @ torch.tensor([1.0, -2.0, 3.0, 0.5]) + 0.1 * torch.randn(96)
END

if with transformers; then
  ran=1
  cat >mine/trainer.py <<'END'
import sys, torch, batchlab, batchlab_transformers
from transformers import Trainer, TrainingArguments
from line import x, y

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.line, self.drop = torch.nn.Linear(4, 1), torch.nn.Dropout(0.1)
    def forward(self, x, labels=None):
        out = self.line(self.drop(x)).squeeze(-1)
        return {"loss": ((out - labels) ** 2).mean(), "logits": out}

a = batchlab.args(batch_size=8, learning_rate=0.05, seed=1)
rows = [{"x": x[i], "labels": y[i]} for i in range(96)]
torch.manual_seed(a.seed)
arguments = TrainingArguments(
    output_dir=sys.argv[1], per_device_train_batch_size=a.batch_size, learning_rate=a.learning_rate, seed=a.seed,
    max_steps=100000, lr_scheduler_type="constant", eval_strategy="no", save_strategy="no", report_to=[],
    disable_tqdm=True, use_cpu=True, logging_strategy="no")
trainer = Trainer(Net(), arguments, train_dataset=rows[:64], eval_dataset=rows[64:])
trainer.add_callback(batchlab_transformers.Callback(trainer, "eval_loss"))
trainer.train(resume_from_checkpoint=batchlab.state())
END
  experiment trainer '{run}/out'
  try 0 check trainer --twice
  says out 'trainer: same bits, resume too (paused at step 4 of 9)'
fi

if with lightning; then
  ran=1
  cat >mine/lit.py <<'END'
import sys, torch, batchlab, batchlab_lightning
import lightning.pytorch as pl
from line import x, y

class Net(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.line = torch.nn.Linear(4, 1)
    def loss(self, batch):
        return ((self.line(batch[0]).squeeze(-1) - batch[1]) ** 2).mean()
    def training_step(self, batch, i):
        return self.loss(batch)
    def validation_step(self, batch, i):
        self.log("val_loss", self.loss(batch))
    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=a.learning_rate)

a = batchlab.args(batch_size=8, learning_rate=0.05, seed=1)
pl.seed_everything(a.seed)
save = sys.argv[1] == "save"
rows = a.batch_size if save else 64  # a batch is an epoch: there is no position in the data to forget
part = lambda b, e: torch.utils.data.TensorDataset(x[b:e], y[b:e])
train = torch.utils.data.DataLoader(part(0, rows), batch_size=a.batch_size, shuffle=True)
valid = torch.utils.data.DataLoader(part(64, 96), batch_size=32)
trainer = pl.Trainer(
    max_epochs=-1, accelerator="cpu", devices=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
    enable_model_summary=False, callbacks=[batchlab_lightning.Callback("val_loss", save=save)])
trainer.fit(Net(), train, valid, ckpt_path=batchlab.state())
END
  experiment lit keep
  try 0 check lit --twice
  says out 'lit: same bits. The script saves no state'
  experiment lit save
  try 0 check lit --twice
  says out 'lit: same bits, resume too (paused at step 4 of 9)'
fi
[ "${ran:-0}" = 1 ] || [ $failed = 1 ] || { echo "none of the libraries is installed"; exit 77; }
exit $failed
