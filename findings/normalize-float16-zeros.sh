#!/usr/bin/env bash
# scikit-learn's normalize() makes zeros of float16 features whose length is above 256.
#
# One would guess: normalize() gives unit vectors for whatever KMeans, PCA and cosine_similarity take without complaint.
# What happens:    those three make float64 of float16 first; normalize() and Normalizer keep float16, and their squares are
#                  summed into a float16, which ends at 65,504. From a length of 256 on the sum is infinite and each row
#                  divided by it is zero. No warning, no error; a row of length 255 is right. The rows are
#                  finite before and after, so that no check for NaN finds them. Of rows of AudioSet's form, 128
#                  numbers of 0 to 255 each, none is left; as uint8 they are all right.
# Why it matters:  float16 is how features are stored, and holds such numbers exactly. A search by inner product then
#                  finds the same first clips of the list for every query; where lengths differ, the largest alone are lost.
# Source:          sklearn/preprocessing/_data.py, normalize: float16 is among the types that stay as they are;
#                  sklearn/utils/extmath.py, row_norms: the squares are summed in the type of the rows.
# Seen:            by running (scikit-learn 1.9.1, numpy 2.4.6, faiss-cpu 1.15.1). Cure: normalize(x.astype("float32")).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6 faiss-cpu==1.15.1
cd "$work"
venv/bin/python -W error - <<'PY'
import sys

import faiss
import numpy
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import normalize

rng = numpy.random.default_rng(0)
features = rng.integers(0, 256, size=(1000, 128)).astype("uint8")  # as AudioSet's released ones: quantised to 8 bits


def lengths(rows):
    return numpy.linalg.norm(normalize(rows).astype("float64"), axis=1)


def found_themselves(rows):
    """The share of clips that a search by inner product finds by their own features."""
    index = faiss.IndexFlatIP(128)
    index.add(normalize(rows).astype("float32"))
    nearest = index.search(normalize(rows).astype("float32"), 1)[1][:, 0]
    return float((nearest == numpy.arange(len(rows))).mean())


half = features.astype("float16")
exact = bool((half.astype("uint8") == features).all())
shortest = numpy.linalg.norm(features.astype("float64"), axis=1).min()
print(f"length before {shortest:.0f} or more, exact in float16: {exact}")
found = {}
for name, rows in {"uint8": features, "float16": half, "float32": half.astype("float32")}.items():
    found[name] = normalize(rows).dtype.name, round(float(lengths(rows).max()), 2), found_themselves(rows)
    print(f"{name:8} becomes {found[name][0]}, longest row {found[name][1]}, finds itself: {found[name][2]:.1%}")

one = numpy.zeros((2, 128), "float16")
one[:, 0] = 255, 256
edge = lengths(one).tolist()
unharmed = bool(numpy.allclose(cosine_similarity(half), cosine_similarity(features.astype("float64"))))
print("lengths 255 and 256 become", edge, "- cosine_similarity of float16 is right:", unharmed)
want = {"uint8": ("float64", 1, 1), "float16": ("float16", 0, 0.001), "float32": ("float32", 1, 1)}
sys.exit(found != want or edge != [1, 0] or not unharmed or not exact)
PY
