"""batchlab for your own training script (docs/external.md). One file, no dependencies.

Started by hand, a script behaves as if this were not here: args() gives the defaults, steps()
counts up to `most`, report() prints. Under batchlab they follow what it asks for."""
import contextlib, json, math, os, shutil, signal, sys, time
from types import SimpleNamespace

_run, _rank = os.environ.get("BATCHLAB_RUN"), int(os.environ.get("RANK") or 0)
_goal = {"until": 0, "evals": set(), "park": False}  # goal.json
_at = SimpleNamespace(step=0, begun=False, term=False, looked=0, saved=0, train_s=0.0, since=None)


def _read(name):
    with open(os.path.join(_run, name)) as f:
        return json.load(f)


_given = _read("params.json") if _run else {}
_care = _given.pop("batchlab", {})


def _say(**line):
    if _run and _rank == 0:
        with open(os.path.join(_run, "report.jsonl"), "a") as f:
            f.write(json.dumps(line, default=str) + "\n")


def _look(every=0.0):
    if time.monotonic() - _at.looked >= every:
        _goal.update(_read("goal.json"))
        _goal["evals"], _at.looked = set(_goal["evals"]), time.monotonic()
        _goal["park"] |= _at.term


def _begin(start=0, waits=False, saves=False):
    """The first line. Without steps() the script's own loop does not wait at the goal."""
    if not _at.begun:
        _at.begun = True
        _say(start=start, pid=os.getpid(), argv=sys.argv, waits=waits, saves=saves)


def _clock(on):
    """The clock of training goes on or stops, once the device has done what it was given."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.synchronize()
    now, since = time.monotonic(), _at.since
    _at.train_s, _at.since = _at.train_s + (now - (since or now)), now if on else None
    return since is not None


def _save(save):
    _clock(False)
    if save is not None and _rank == 0 and _care.get("checkpoint", True):
        place, new = os.path.join(_run, "state"), os.path.join(_run, "state.new")
        shutil.rmtree(new, ignore_errors=True)
        save(new)
        _say(saving=_at.step)
        shutil.rmtree(place, ignore_errors=True)  # a folder; a file is replaced as it is
        os.replace(new, place)
        _say(saved=_at.step)
    _at.saved = time.monotonic()


def _orphaned():
    """batchlab is gone when the file that it touches is old by the disk's own clock."""
    with open(os.path.join(_run, "alive-%d" % _rank), "w") as f:
        return os.fstat(f.fileno()).st_mtime - os.stat(_care["beat"]).st_mtime > _care["stale"]


def _go_on(save):
    """Waits for a step to do. False: there will be none, in a start by hand."""
    begin = time.monotonic()
    _look(0.02 if _at.step < _goal["until"] else 0.0)
    if _at.step >= _goal["until"]:
        _clock(False)
        _say(mark=_at.step, train_s=_at.train_s)
    while _at.step >= _goal["until"] and not _goal["park"]:
        waited = time.monotonic() - begin
        if "beat" not in _care:
            return False
        if waited > 1 and _orphaned():
            sys.exit(75)
        time.sleep(0.001 if waited < 0.05 else 0.02)
        _look()
    if _goal["park"] or time.monotonic() - _at.saved > _care.get("save_seconds", math.inf):
        _save(save)
    if _goal["park"]:
        sys.exit(75)
    _at.since = _at.since or time.monotonic()
    return True


def args(**defaults):
    """The run's parameters as attributes. One whose default is a float is a float."""
    _say(args=defaults)
    run = {**defaults, **_given}.items()
    return SimpleNamespace(**{k: float(v) if type(defaults.get(k)) is float else v for k, v in run})


def state():
    """The path of the saved state to load, or None."""
    place = os.path.join(_run or "", "state")
    return place if _run and os.path.exists(place) else None


def steps(start=0, save=None, most=1000):
    """Instead of range(start + 1, ...): goes on as long as batchlab asks for more. `save(path)`
    writes the state; it is called now and then, and before a pause."""
    _at.step, _at.saved = start, time.monotonic()
    if _run:
        signal.signal(signal.SIGTERM, lambda *_: setattr(_at, "term", True))
        _begin(start, True, save is not None)
    while _go_on(save) if _run else _at.step < most:
        _at.step += 1
        yield _at.step


def due(step):
    """Is this a step to evaluate after? By hand they are 5 % apart."""
    if not _run:
        return step <= 20 or int(math.log(step, 1.05)) > int(math.log(step - 1, 1.05))
    _begin()
    _look(0.02)
    return step in _goal["evals"]


@contextlib.contextmanager
def evaluating():
    """Time spent in here is not training time."""
    running = _clock(False)
    yield
    _clock(running)


def report(step, value, loss=None, **more):
    """The metric, and the mean training loss since the last report."""
    value, loss = float(value), None if loss is None else float(loss)
    if _run:
        _begin()
        _clock(_at.since is not None)
        _say(step=step, value=value, loss=loss, train_s=_at.train_s, **more)
    else:
        print("step %d: %g%s" % (step, value, "" if loss is None else ", loss %g" % loss))


def end(why=""):
    """There is no more to train."""
    _say(end=_at.step, why=why)
