"""Daily sales of drug stores, learnt by one hidden layer in NumPy alone.

DATA names the folder that has train.csv.gz of the Rossmann competition."""
import argparse, csv, datetime, gzip, os
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--batch_size", type=int, default=64)
parser.add_argument("--learning_rate", type=float, default=0.05)
parser.add_argument("--seed", type=int, default=1)
args = parser.parse_args()


def read(path, rows):
    """Newest open days: weekday, promotion, school holiday, day, customers, and the sales."""
    out = []
    with gzip.open(path, "rt", newline="") as f:
        for row in csv.DictReader(f):
            if int(row["Sales"]) > 0:
                day = datetime.date.fromisoformat(row["Date"])
                out.append([day.isoweekday(), int(row["Promo"]), int(row["SchoolHoliday"]),
                            day.day, int(row["Customers"]), int(row["Sales"])])
                if len(out) == rows:
                    break
    return np.array(out, dtype=float)


table = read(os.path.join(os.environ["DATA"], "train.csv.gz"), 20000)
table = (table - table.mean(0)) / table.std(0)
x, y = table[:, :-1], table[:, -1:]
held, train = np.arange(0, len(x), 5), np.delete(np.arange(len(x)), np.s_[::5])

rng = np.random.default_rng(args.seed)
weights = [rng.uniform(-1, 1, (5, 16)) / 5 ** 0.5, rng.uniform(-1, 1, 16) / 5 ** 0.5,
           rng.uniform(-1, 1, (16, 1)) / 4, rng.uniform(-1, 1, 1) / 4]
order, at = rng.permutation(train), 0


def error(rows):
    hidden = np.maximum(x[rows] @ weights[0] + weights[1], 0)
    return np.sqrt(np.mean((hidden @ weights[2] + weights[3] - y[rows]) ** 2))


for step in range(1, 2001):
    if at + args.batch_size > len(order):
        order, at = rng.permutation(train), 0
    rows, at = order[at:at + args.batch_size], at + args.batch_size
    hidden = np.maximum(x[rows] @ weights[0] + weights[1], 0)
    wrong = 2 * (hidden @ weights[2] + weights[3] - y[rows]) / len(rows)
    back = (wrong @ weights[2].T) * (hidden > 0)
    for w, slope in zip(weights, [x[rows].T @ back, back.sum(0), hidden.T @ wrong, wrong.sum(0)]):
        w -= args.learning_rate * slope
    if step % 100 == 0:
        print("step %d: rmse %.4f" % (step, error(held)))
