#!/usr/bin/env bash
# A left join keeps the clips' order for 1,000 rows, or of DataFrames, and loses it for 300,000, or of LazyFrames.
#
# One would guess: a left join gives the left table's rows in their order, as pandas' merge and SQL habits have it; what
#                  holds for a try of 1,000 rows holds for the list.
# What happens:    pyarrow's Table.join() keeps the order as long as the table is one piece of work for one thread: always
#                  for 1,000 rows, and for 300,000 not, with pieces of it in the order in which threads end. polars'
#                  DataFrame.join(how="left") keeps it. The same join of LazyFrames loses it at 1,000 rows already, since
#                  collect() streams unless it is told engine="in-memory". An inner join loses it both ways. DuckDB keeps
#                  it for 1,000 rows and in some tries for 300,000, pandas always. No row is lost, so checks of counts and
#                  sums pass.
# Why it matters:  labels are joined to the list whose rows number a matrix of features: each clip gets another's.
# Source:          polars' docs of join: maintain_order="none" by default, an order that "might differ ... between different
#                  runs". pyarrow's docs of Table.join have use_threads, and no word on order.
# Seen:            by running (pyarrow 26.0.1, polars 2.1.0, duckdb 2.0.1, pandas 3.1.1), on two cores. Cure:
#                  maintain_order="left"; use_threads=False; or sort by a row number that went through the join.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pyarrow==26.0.1 polars==2.1.0 duckdb==2.0.1 pandas==3.1.1 numpy==2.4.6
cd "$work"
venv/bin/python - <<'PY'
import sys

import duckdb
import numpy
import polars

TRIES = 10
chance = numpy.random.default_rng(0)


def moved(call, rows):
    """In how many tries the rows of the left table came in another order; all of them came."""
    count = 0
    for _ in range(TRIES):
        found = numpy.asarray(call())
        assert (numpy.sort(found) == numpy.arange(rows)).all()
        count += bool((numpy.diff(found) < 0).any())
    return count


def measured(rows):
    clips = polars.DataFrame({"id": chance.permutation(rows), "row": numpy.arange(rows)})
    labels = polars.DataFrame({"id": chance.permutation(rows), "label": numpy.arange(rows) % 7})
    left, right = clips.to_arrow(), labels.to_arrow()
    one, two = clips.to_pandas(), labels.to_pandas()
    lazy = clips.lazy().join(labels.lazy(), on="id", how="left")
    kept = clips.lazy().join(labels.lazy(), on="id", how="left", maintain_order="left")
    base = duckdb.connect()
    base.register("clips", left)
    base.register("labels", right)
    query = "select row from clips left join labels using (id)"
    calls = {
        "pyarrow, left": lambda: left.join(right, "id")["row"],
        "pyarrow, left, one thread": lambda: left.join(right, "id", use_threads=False)["row"],
        "polars, left": lambda: clips.join(labels, on="id", how="left")["row"],
        "polars, left, lazy": lambda: lazy.collect()["row"],
        "polars, left, in-memory": lambda: lazy.collect(engine="in-memory")["row"],
        "polars, left, maintain_order": lambda: kept.collect()["row"],
        "polars, inner": lambda: clips.join(labels, on="id")["row"],
        "duckdb, left": lambda: base.execute(query).fetchnumpy()["row"],
        "pandas, left": lambda: one.merge(two, on="id", how="left")["row"],
    }
    return {name: moved(call, rows) for name, call in calls.items()}


small, large = measured(1000), measured(300_000)
print(f"tries of {TRIES} that changed the order{'1,000 rows':>14}{'300,000 rows':>14}")
for name in small:
    print(f"{name:32}{small[name]:14}{large[name]:14}")
loses = {name for name in large if large[name]}
early = {name for name in small if small[name]}
lazily = {"polars, left, lazy", "polars, inner"}
lost = lazily | {"pyarrow, left"}
sys.exit(early != lazily or loses - {"duckdb, left"} != lost)
PY
