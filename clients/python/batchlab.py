"""batchlab for your own training script (docs/external.md). One file, no dependencies.

Started by hand, a script behaves as if this were not here: args() are the defaults, steps() counts up
to `most`, due() is true at the grid's steps, report() prints. Under batchlab they follow its goal."""
import contextlib, json, math, os, shutil, signal, sys, time

_run = os.environ.get("BATCHLAB_RUN")
_rank = int(os.environ.get("RANK", "0") or 0)
_care, _goal, _seen, _looked = {}, {"until": 0, "evals": [], "park": False}, None, 0.0
_train_s, _since, _pause, _saved_at, _step = 0.0, None, False, time.monotonic(), 0
_begun = False  # the line of the start is written


def _path(name):
    return os.path.join(_run, name)


def _say(**line):
    if _run and _rank == 0:
        with open(_path("report.jsonl"), "a") as f:
            f.write(json.dumps(line) + "\n")


def _look():
    global _goal, _seen, _looked
    _looked = time.monotonic()
    with open(_path("goal.json")) as f:
        text = f.read()
    if text != _seen:
        _seen, _goal = text, json.loads(text)
        _goal["evals"] = set(_goal["evals"])


def _orphaned():
    """batchlab is gone when the file that it touches is old by the disk's own clock."""
    try:
        beat, here = os.stat(_care["beat"]).st_mtime, _path("alive-%d" % _rank)
        with open(here, "w"):
            return os.stat(here).st_mtime - beat > _care["stale"]
    except OSError:
        return True


def _on_term(*_):
    global _pause
    _pause = True


def args(**defaults):
    """The run's parameters as attributes, each of the type of its default."""
    given = dict(defaults)
    if _run:
        with open(_path("params.json")) as f:
            given.update(json.load(f))
        _care.update(given.pop("batchlab", {}))
        _look()
    kinds = {k: type(v) for k, v in defaults.items()}
    return type("args", (), {k: float(v) if kinds.get(k) is float else v for k, v in given.items()})()


def state():
    """The path of the saved state to load, or None."""
    return _path("state") if _run and os.path.exists(_path("state")) else None


def _clock(on):
    global _train_s, _since
    now = time.monotonic()
    if _since is not None:
        _train_s += now - _since
    _since = now if on else None


def _sync():
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.synchronize()


def _save(save):
    global _saved_at
    if save is None or _rank != 0 or not _care.get("checkpoint", True):
        return
    new = _path("state.new")
    shutil.rmtree(new, ignore_errors=True)
    save(new)
    _say(saving=_step)
    if os.path.isdir(_path("state")):
        shutil.rmtree(_path("state"))
    os.replace(new, _path("state"))
    _say(saved=_step)
    _saved_at = time.monotonic()


def _leave(save):
    _clock(False)
    _save(save)
    sys.exit(75)


def _begin(start, waits, saves):
    global _begun
    _begun = True
    _say(start=start, pid=os.getpid(), argv=sys.argv, waits=waits, saves=saves)


def _begin_alone():
    """Without steps() the script's own loop does not wait at the goal."""
    if not _begun:
        _begin(0, False, False)


def steps(start=0, save=None, most=1000):
    """Instead of range(start + 1, ...): goes on as long as batchlab asks for more. `save(path)` writes
    the state; it is called now and then, and before a pause."""
    global _step, _saved_at
    _step = start
    if not _run:
        yield from range(start + 1, most + 1)
        return
    signal.signal(signal.SIGTERM, _on_term)
    _begin(start, True, save is not None)
    _saved_at = time.monotonic()
    while True:
        nap, begin = 0.001, time.monotonic()
        if time.monotonic() - _looked > 0.02 or _step >= _goal["until"]:
            _look()
        if _step >= _goal["until"]:
            _sync(), _clock(False)
            _say(mark=_step, train_s=_train_s)
        while _step >= _goal["until"] and not (_pause or _goal["park"]):
            if "beat" not in _care:
                return
            time.sleep(nap)
            nap = nap if time.monotonic() - begin < 0.05 else 0.02
            _look()
            if time.monotonic() - begin > 1 and _orphaned():
                sys.exit(75)
        if _pause or _goal["park"]:
            _leave(save)
        if time.monotonic() - _saved_at > _care.get("save_seconds", math.inf):
            _clock(False)
            _save(save)
        _clock(True)
        _step += 1
        yield _step


def due(step):
    """Is this a step to evaluate after? By hand: the steps of batchlab's usual grid."""
    if _run:
        _begin_alone()
        return step in _goal["evals"]
    at = 1
    while at < step:
        at = max(at + 1, math.ceil(at * 1.05))
    return at == step


@contextlib.contextmanager
def evaluating():
    """Time spent in here is not training time."""
    running = _since is not None
    _sync(), _clock(False)
    yield
    if running:
        _sync(), _clock(True)


def report(step, value, loss=None, **more):
    """The metric, and the mean training loss since the last report."""
    value, loss = float(value), None if loss is None else float(loss)
    if not _run:
        print("step %d: %g%s" % (step, value, "" if loss is None else ", loss %g" % loss))
        return
    _begin_alone()
    running = _since is not None
    _clock(running)
    _say(step=step, value=value, loss=loss, train_s=_train_s, **more)


def end(why=""):
    """There is no more to train."""
    _say(end=_step, why=why)
