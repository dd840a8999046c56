#!/usr/bin/env bash
# In an HNSW index with many equal clips, other clips are no longer found, even by their own features.
#
# One would guess: an approximate index misses a neighbour now and then, a larger ef finds it, and a clip finds itself.
# What happens:    2,000 of 5,000 clips have one and the same feature, as black pictures and silence have. Each is linked to
#                  others of its kind alone, so that a search that comes upon them does not get out again. Of 500 clips
#                  that are like no other, faiss misses a quarter when asked with their own features, and hnswlib one in ten, or
#                  all 500, by the data and its order. A search 25 or 40 times as wide finds hardly one more. With noise
#                  of 0.001 on the equal ones the default search finds nearly all and the wide one all.
# Why it matters:  the recall that one measures on clean features says nothing about a raw crawl, in which such clips
#                  are common: neighbours and near-duplicates of good clips go unseen, and more search does not bring them.
# Source:          hnswlib's README calls ef the trade between speed and accuracy and does not speak of equal vectors;
#                  qdrant found the cause in August 2026 and mended its own index (its pull request 10239).
# Seen:            by running, one thread, four orders (hnswlib 0.8.0, faiss-cpu 1.15.1, numpy 2.4.6). pip may have to
#                  compile hnswlib. Cure: index each distinct feature once.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q hnswlib==0.8.0 faiss-cpu==1.15.1 numpy==2.4.6
cd "$work"
venv/bin/python -W error - <<'PY'
import sys

import faiss
import hnswlib
import numpy

CLIPS, DIM, ASKED, SEEDS = 5000, 128, 500, range(4)
faiss.omp_set_num_threads(1)


def features(seed, equal, apart=0.0):
    """Clips around 300 topics, `equal` of them one feature; and the numbers of 500 clips that are not."""
    rng = numpy.random.default_rng(seed)
    rows = rng.normal(size=(300, DIM))[rng.integers(300, size=CLIPS)] + 0.5 * rng.normal(size=(CLIPS, DIM))
    rows[:equal] = rng.normal(size=DIM)
    order = rng.permutation(CLIPS)
    rows[:equal] += apart * rng.normal(size=(equal, DIM))
    rows = rows[order] / numpy.linalg.norm(rows[order], axis=1, keepdims=True)
    return rows.astype("float32"), numpy.flatnonzero(order >= equal)[:ASKED]


def by_hnswlib(rows, asked, widths=(10, 400)):
    index = hnswlib.Index("ip", DIM)
    index.init_index(len(rows))
    index.add_items(rows, num_threads=1)
    for ef in widths:  # 10 is the default
        index.set_ef(ef)
        yield index.knn_query(rows[asked], 1, num_threads=1)[0][:, 0]


def by_faiss(rows, asked, widths=(16, 400)):
    index = faiss.IndexHNSWFlat(DIM, 32, faiss.METRIC_INNER_PRODUCT)
    index.add(rows)
    for ef in widths:  # 16 is the default
        index.hnsw.efSearch = ef
        yield index.search(rows[asked], 1)[1][:, 0]


def exactly(rows, asked):
    yield (rows[asked] @ rows.T).argmax(1)


def found(search, **options):
    """The share of 500 distinct clips found by their own features: a row for each seed, a column for each width."""
    clips = [features(seed, **options) for seed in SEEDS]
    return numpy.array([[float((ids == asked).mean()) for ids in search(rows, asked)] for rows, asked in clips])


print("share of 500 distinct clips that are found by their own features, by seed; default width, then 400")
equal = {}
good = []
for name, search in {"exactly": exactly, "hnswlib": by_hnswlib, "faiss": by_faiss}.items():
    equal[name] = found(search, equal=2000)
    good += [found(search, equal=0), found(search, equal=2000, apart=0.001)]
    print(f"{name:8} 2,000 equal: {equal[name].T.round(2).tolist()}  none equal: {good[-2].T.round(2).tolist()}")
    print(f"         within 0.001: {good[-1].T.round(2).tolist()}")
lost = [equal[name].mean(axis=0) for name in ("hnswlib", "faiss")]
more = equal["faiss"].mean(axis=0)
right = equal["exactly"].min() == 1 and min(shares.mean() for shares in good) > 0.97
sys.exit(not (right and max(share.max() for share in lost) < 0.95 and more[1] - more[0] < 0.05))
PY
