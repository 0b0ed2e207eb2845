"""The job of jobs.py as an expert would write it; job_peers.py torch | torch_hand | optuna | jax.

Prints a line for each batch size (best rate and median steps of each target) and at last how many runs it
trained. Evaluations are at steps that grow by 7 %, on 2,500 pictures, as batchlab's are.
"""
import gzip
import math
import os
import statistics
import sys

import numpy

SIZES, TARGETS, SEEDS = (32, 64, 128, 256, 512, 1024), (0.05, 0.03), (1, 2, 3)
RATES, SLACK, EPOCHS = range(-8, 1), 1.25, 30


def read(name, skip):
    path = os.path.join(os.environ["BATCHLAB_DATA"], "mnist", name)
    with (gzip.open(path + ".gz") if os.path.exists(path + ".gz") else open(path, "rb")) as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=skip)


def mnist(valid=5000, rows=2500):
    x = read("train-images-idx3-ubyte", 16).reshape(-1, 784)
    y = read("train-labels-idx1-ubyte", 8).astype(numpy.int64)
    mean, deviation = x[:-valid].mean(), x[:-valid].std()
    values = ((x.astype(numpy.float32) - mean) / deviation).astype(numpy.float32)
    pick = len(x) - valid + numpy.arange(rows) * valid // rows
    return values[:-valid], y[:-valid], values[pick], y[pick]


def grid(limit):
    step = 1
    while step <= limit:
        yield step
        step = max(step + 1, math.ceil(step * 1.07))


class Torch:
    """A run at a time."""

    def __init__(self, by_hand):
        import torch
        torch.set_num_threads(1)
        self.torch, self.begin = torch, self.hand if by_hand else self.autograd
        self.x, self.y, self.valid_x, self.valid_y = map(torch.from_numpy, mnist())
        self.rows, self.runs = len(self.x), 0

    def net(self, seed):
        nn = self.torch.nn
        self.torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))

    def autograd(self, batch, rate, seed):
        torch, net = self.torch, self.net(seed)
        optimizer = torch.optim.SGD(net.parameters(), rate, momentum=0.9, nesterov=True, fused=True)

        def step(index):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(self.x[index]), self.y[index]).backward()
            optimizer.step()

        return step, lambda: net(self.valid_x)

    def hand(self, batch, rate, seed):
        torch = self.torch
        w1, b1, w2, b2 = params = [p.detach().t().contiguous() if p.dim() == 2 else p.detach()
                                   for p in self.net(seed).parameters()]
        moved, grad = [torch.zeros_like(p) for p in params], [torch.empty_like(p) for p in params]
        x, h, out, dh = (torch.empty(batch, n) for n in (784, 128, 10, 128))
        classes = torch.eye(10) / batch

        def step(index):
            torch.index_select(self.x, 0, index, out=x)
            torch.addmm(b1, x, w1, out=h).relu_()
            torch.addmm(b2, h, w2, out=out)
            d = torch.softmax(out, 1).div_(batch).sub_(classes[self.y[index]])
            torch.mm(h.t(), d, out=grad[2])
            torch.sum(d, 0, out=grad[3])
            torch.mm(d, w2.t(), out=dh)
            torch.ops.aten.threshold_backward.grad_input(dh, h, 0, grad_input=dh)
            torch.mm(x.t(), dh, out=grad[0])
            torch.sum(dh, 0, out=grad[1])
            torch._fused_sgd_(params, grad, moved, weight_decay=0.0, momentum=0.9, lr=rate, dampening=0.0,
                              nesterov=True, maximize=False, is_first_step=False)

        return step, lambda: torch.addmm(b2, torch.addmm(b1, self.valid_x, w1).relu_(), w2)

    def train(self, batch, rate, seed, cap, enough=TARGETS[-1], told=lambda step, error: False):
        """Until an error of `enough` or `cap` steps: the first evaluation that had each target."""
        torch = self.torch
        step, output = self.begin(batch, rate, seed)
        random, left = torch.Generator().manual_seed(seed), torch.empty(0, dtype=torch.long)
        hits, done = {}, 0
        self.runs += 1
        for to in grid(cap):
            for done in range(done, to):
                while len(left) < batch:
                    left = torch.cat([left, torch.randperm(self.rows, generator=random)])
                step(left[:batch])
                left = left[batch:]
            done = to
            with torch.no_grad():
                error = (output().argmax(1) != self.valid_y).float().mean().item()
            hits.update({t: to for t in TARGETS if error <= t and t not in hits})
            if enough in hits or told(to, error):
                break
        return hits, done

    def race(self, batch, done, rates, seed, cap_of, cut):
        best = math.inf
        for k in rates:
            hits, steps = self.train(batch, 2.0**k, seed, int(min(cap_of(k), SLACK * best if cut else math.inf)))
            best, done[k, seed] = min(best, hits.get(TARGETS[-1], math.inf)), (hits, steps)


class Jax:
    """The runs of a race side by side, one vmapped step for all: they share the batch."""

    WIDTHS = (1, 3, 6, 9)

    def __init__(self):
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        import jax
        import jax.numpy as jnp
        from functools import partial
        self.jnp, (x, y, valid_x, valid_y) = jnp, mnist()
        self.data = tuple(map(jnp.asarray, (x, y.astype(numpy.int32), valid_x, valid_y.astype(numpy.int32))))
        self.rows, self.runs = len(x), 0

        def output(p, x):
            return jax.nn.relu(x @ p[0] + p[1]) @ p[2] + p[3]

        def loss(p, x, y):
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(output(p, x)), y[:, None], 1))

        def update(p, v, rate, x, y):
            g = jax.grad(loss)(p, x, y)
            v = jax.tree.map(lambda v, g: 0.9 * v + g, v, g)
            return jax.tree.map(lambda p, v, g: p - rate * (g + 0.9 * v), p, v, g), v

        @partial(jax.jit, static_argnums=(0,), donate_argnums=(1, 2))
        def advance(batch, p, v, rate, stream, start, stop, data):
            def body(i, state):
                index = jax.lax.dynamic_slice(stream, (i * batch,), (batch,))
                return jax.vmap(update, (0, 0, 0, None, None))(*state, rate, data[0][index], data[1][index])
            p, v = jax.lax.fori_loop(start, stop, body, (p, v))
            return p, v, jnp.mean(jnp.argmax(jax.vmap(output, (0, None))(p, data[2]), 2) != data[3], 1)

        self.advance = advance

    def initial(self, seed, lanes):
        random = numpy.random.default_rng(seed)
        shapes = (((784, 128), 784), ((128,), 784), ((128, 10), 128), ((10,), 128))
        one = [random.uniform(-1, 1, s).astype(numpy.float32) / numpy.float32(n**0.5) for s, n in shapes]
        return tuple(numpy.stack([a] * lanes) for a in one), tuple(numpy.zeros((lanes, *a.shape), a.dtype)
                                                                   for a in one)

    def race(self, batch, done, rates, seed, cap_of, cut):
        random = numpy.random.default_rng(seed)
        stream = self.jnp.asarray(numpy.concatenate(
            [random.permutation(self.rows) for _ in range(EPOCHS + 1)]).astype(numpy.int32))
        live, hits, at, best = list(rates), {k: {} for k in rates}, 0, math.inf
        lanes = self.pad(live)
        p, v = self.initial(seed, len(lanes))
        self.runs += len(live)
        for to in grid(EPOCHS * self.rows // batch):
            rate = numpy.array([2.0**k for k in lanes], numpy.float32)
            p, v, error = self.advance(batch, p, v, rate, stream, at, to, self.data)
            at, error = to, numpy.asarray(error)
            for i, k in enumerate(live):
                hits[k].update({t: to for t in TARGETS if error[i] <= t and t not in hits[k]})
                done[k, seed] = (hits[k], to)
            best = min([best] + [hits[k][TARGETS[-1]] for k in live if TARGETS[-1] in hits[k]])
            keep = [i for i, k in enumerate(live) if TARGETS[-1] not in hits[k] and
                    to < min(cap_of(k), SLACK * best if cut else math.inf)]
            if not keep:
                return
            if len(keep) < len(live):
                live = [live[i] for i in keep]
                lanes = self.pad(live)
                index = keep + [keep[-1]] * (len(lanes) - len(keep))
                p, v = (tuple(numpy.asarray(a)[index] for a in x) for x in (p, v))

    def pad(self, live):
        """Few widths, so that little is compiled."""
        return live + [live[-1]] * (min(w for w in self.WIDTHS if w >= len(live)) - len(live))


def median(done, k, target):
    hits = [done[k, s][0].get(target, math.inf) for s in SEEDS if (k, s) in done]
    return statistics.median(hits) if hits else math.inf


def answer(trainer, batch):
    """All rates with the first seed, nearest to linear scaling first; then the winner of each target
    and its neighbours with every seed, until the winner stays."""
    done, budget, found = {}, EPOCHS * trainer.rows // batch, []
    guess = -5 + int(math.log2(batch // 32))
    trainer.race(batch, done, sorted(RATES, key=lambda k: abs(k - guess)), SEEDS[0], lambda k: budget, True)
    for target in reversed(TARGETS):
        lead = None
        while lead != (lead := min(RATES, key=lambda k: (median(done, k, target), k))):
            bound = min(budget, SLACK * median(done, lead, target))
            for seed in SEEDS:
                wanted = [k for k in (lead, lead - 1, lead + 1) if k in RATES and (k, seed) not in done]
                if wanted:
                    trainer.race(batch, done, wanted, seed, lambda k: budget if k == lead else bound, False)
        found.append(f"{target}: 2^{lead}, {median(done, lead, target):g} steps")
    return ", ".join(found)


def optuna_answer(trainer, batch):
    """A study of 20 trials with the first seed; then every seed with its best rate."""
    import optuna
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    budget, last = EPOCHS * trainer.rows // batch, TARGETS[-1]
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1),
                                pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=20))
    study.enqueue_trial({"log2_rate": min(0.0, -5 + math.log2(batch / 32))})

    def objective(trial):
        def told(step, error):
            trial.report(error, step)
            return trial.should_prune()

        arrived = [t.value for t in study.trials if t.state == optuna.trial.TrialState.COMPLETE]
        cap = min(budget, int(SLACK * min(arrived, default=budget)))
        hits, _ = trainer.train(batch, 2.0**trial.suggest_float("log2_rate", -8, 0), SEEDS[0], cap, told=told)
        if last not in hits:
            raise optuna.TrialPruned()
        return hits[last]

    study.optimize(objective, n_trials=20)
    log2 = study.best_params["log2_rate"]
    done = {(0, s): trainer.train(batch, 2.0**log2, s, budget) for s in SEEDS}
    return ", ".join(f"{t}: 2^{log2:.2f}, {median(done, 0, t):g} steps" for t in TARGETS)


def main():
    name = sys.argv[1]
    trainer = Jax() if name == "jax" else Torch(by_hand=name != "torch")
    for batch in SIZES if len(sys.argv) < 3 else map(int, sys.argv[2].split(",")):
        print(batch, (optuna_answer if name == "optuna" else answer)(trainer, batch), flush=True)
    print(trainer.runs)


main()
