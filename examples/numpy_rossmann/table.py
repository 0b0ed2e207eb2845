"""Writes table.csv: what plain.py trains on, for batchlab's own net (compare.sh).

The rows that plain.py holds out are of the later of two days."""
text = open("examples/numpy_rossmann/plain.py").read()
exec(text[: text.index("rng = ")].replace("parser.parse_args()", "None"))
with open("table.csv", "w") as f:
    f.write("part,weekday,promo,school,day,customers,sales\n")
    for part, rows in ("2015-01-01", train), ("2015-01-02", held):
        for row in table[rows]:
            f.write(part + "," + ",".join("%.17g" % v for v in row) + "\n")
