#!/bin/sh
# same_outputs.sh RUNS_A RUNS_B: two stores of one sweep hold the same runs with byte-equal logs, and
# the same plan. Prints how many were compared; fails on a difference or when there is nothing.
a=$1 b=$2 n=0
for log in "$a"/*/*/log.jsonl.gz; do
  other=$b${log#"$a"}
  cmp "$log" "$other" || exit 1
  n=$((n + 1))
done
[ "$n" -gt 0 ] || { echo "no logs in $a"; exit 1; }
[ "$(find "$a" -name log.jsonl.gz | wc -l)" = "$(find "$b" -name log.jsonl.gz | wc -l)" ] || { echo "the stores hold different runs"; exit 1; }
for plan in "$a"/*/plan.jsonl; do cmp "$plan" "$b${plan#"$a"}" || exit 1; done
echo "$n logs and the plan are byte-equal"
