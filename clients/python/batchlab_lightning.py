"""batchlab for Lightning (docs/external.md). One file beside batchlab.py.

    trainer = Trainer(max_epochs=-1, callbacks=[batchlab_lightning.Callback("val_loss")])
    trainer.fit(model, train, valid, ckpt_path=batchlab.state())

Validation runs where batchlab asks for it, and the metric is one that the module logs there. Started
by hand, it trains as ever. Lightning's checkpoints do not hold the position in shuffled data, so no
state is saved unless save=True says that the data loaders keep it themselves."""
import os
import batchlab
from lightning.pytorch import callbacks

NEVER = 10**9  # batches


class Callback(callbacks.Callback):
    def __init__(self, metric="val_loss", save=False):
        self.metric, self.save = metric, save
        self.steps = self.evaluating = None

    def go_on(self, trainer):
        """Waits for a step to do; without one (a start by hand at its goal) training ends."""
        if next(self.steps, None) is None:
            trainer.should_stop = True

    def on_train_start(self, trainer, module):
        if os.environ.get("BATCHLAB_RUN"):
            trainer.val_check_batch = NEVER
            self.last = trainer.global_step
            self.steps = batchlab.steps(self.last, trainer.save_checkpoint if self.save else None)
            self.go_on(trainer)

    def on_train_batch_end(self, trainer, module, *_):
        if not self.steps or trainer.global_step == self.last:
            return  # gradients are still being added up
        self.last = trainer.global_step
        if batchlab.due(self.last):
            trainer.val_check_batch = 1
            self.evaluating = batchlab.evaluating()
            self.evaluating.__enter__()
        else:
            self.go_on(trainer)

    def on_validation_end(self, trainer, module):
        if self.evaluating:
            trainer.val_check_batch = NEVER
            batchlab.report(self.last, trainer.callback_metrics[self.metric])
            self.evaluating.__exit__(None, None, None)
            self.evaluating = None
            self.go_on(trainer)

    def on_train_end(self, trainer, module):
        if self.steps:
            batchlab.end("Lightning has no more steps")
