"""What steps.py and jobs.py share: which peers there are, and how to run them at their best."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = "build/bench"


def can_import(*modules):
    code = "import " + ", ".join(modules)
    return subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL).returncode == 0


def unlocked():
    """The environment of a peer at its best: MKL's newest path on any processor, fused optimizers."""
    os.makedirs(BUILD, exist_ok=True)
    library = os.path.abspath(f"{BUILD}/mkl_unlock.so")
    command = [os.environ.get("CC", "cc"), "-shared", "-fPIC", "-o", library,
               os.path.join(HERE, "mkl_unlock.c")]
    return {"PEER_BEST": "1", **({"LD_PRELOAD": library} if subprocess.run(command).returncode == 0 else {})}


def first(command, pattern=""):
    """The first line of a command's output that has the pattern, behind its colon."""
    try:
        text = subprocess.run(command, capture_output=True, text=True).stdout
    except OSError:
        return "unknown"
    return next((x.split(":")[-1].strip() for x in text.splitlines() if pattern in x), "unknown")


def machine():
    """Processor, commit and compiler, for the head of a table."""
    return (f"{first(['lscpu'], 'Model name')}; commit "
            f"{first(['git', 'rev-parse', '--short', 'HEAD'])}; {first(['cc', '--version'])}")
