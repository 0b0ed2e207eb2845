"""batchlab for the Trainer of Hugging Face transformers (docs/external.md). Beside batchlab.py.

    trainer = Trainer(model, arguments, ...)
    trainer.add_callback(batchlab_transformers.Callback(trainer, "eval_loss"))
    trainer.train(resume_from_checkpoint=batchlab.state())

Give the Trainer a large max_steps, and no evaluations or checkpoints of its own. Started by hand,
it trains as ever. One process is saved; of several the state is not."""
import os, shutil
import batchlab
from transformers import TrainerCallback


class Callback(TrainerCallback):
    def __init__(self, trainer, metric="eval_loss"):
        self.trainer, self.metric = trainer, metric
        self.steps = self.evaluating = None

    def save(self, path):
        """The Trainer's own checkpoint, moved to where batchlab wants it."""
        self.trainer._save_checkpoint(self.trainer.model, None)
        name = "checkpoint-%d" % self.trainer.state.global_step
        shutil.move(os.path.join(self.trainer.args.output_dir, name), path)

    def go_on(self, control):
        """Waits for a step to do; without one (a start by hand at its goal) training ends."""
        if self.steps and next(self.steps, None) is None:
            control.should_training_stop = True

    def on_train_begin(self, args, state, control, **_):
        if os.environ.get("BATCHLAB_RUN"):
            self.steps = batchlab.steps(state.global_step, self.save)
        self.go_on(control)

    def on_step_end(self, args, state, control, **_):
        if self.steps and batchlab.due(state.global_step):
            control.should_evaluate = True
            self.evaluating = batchlab.evaluating()
            self.evaluating.__enter__()
        else:
            self.go_on(control)

    def on_evaluate(self, args, state, control, metrics, **_):
        if self.evaluating:
            batchlab.report(state.global_step, metrics[self.metric])
            self.evaluating.__exit__(None, None, None)
            self.evaluating = None
            self.go_on(control)

    def on_train_end(self, args, state, control, **_):
        if self.steps:
            batchlab.end("the Trainer has no more steps")
