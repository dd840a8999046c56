#!/usr/bin/env bash
# torchmetrics: cosines of sound and picture have another accuracy and average precision with each size of batch.
#
# One would guess: a metric that is updated batch by batch gives what it gives on all at once; with a threshold of 0.5
#                  a cosine of 0.6 counts as a match.
# What happens:    a batch that has one score below 0 or above 1 is taken for logits, and a sigmoid is applied to all of it;
#                  a batch without one is taken for probabilities and left alone. Of the same 2,000 cosines, 750 of
#                  matched pairs, the average precision is 0.71 to 0.81 with batches of 4 to 2,000, and the accuracy at 0.5
#                  falls from 0.77 to 0.49: by the sigmoid each cosine above 0 is a match. Nothing is said. Logits proper
#                  are hit as well where a batch is small and all of its scores happen to lie between 0 and 1.
# Why it matters:  whether sound belongs to the picture is scored by cosines. The number that a paper gives depends on the
#                  batch, and the last, smaller batch is scored by another rule than the rest.
# Source:          torchmetrics/utilities/compute.py, normalize_logits_if_needed: called by each update with that batch. The
#                  documentation says that values outside [0, 1] are taken for logits, not that each batch is judged alone.
# Seen:            by running (torchmetrics 1.9.0, torch 2.13.0, scikit-learn 1.9.1). Cure: update with (cosine + 1) / 2.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q torchmetrics==1.9.0 torch==2.13.0 scikit-learn==1.9.1 numpy==2.4.6
cd "$work"
venv/bin/python -W ignore - <<'PY'
import sys

import numpy
import sklearn.metrics
import torch
from torchmetrics.classification import BinaryAccuracy, BinaryAveragePrecision

chance = numpy.random.default_rng(0)
cosines = numpy.clip(chance.normal(0.3, 0.25, size=2000), -1, 1).astype("float32")
matched = cosines + chance.normal(0, 0.2, size=2000) > 0.4
print(f"{(cosines < 0).sum()} of 2000 cosines are below 0, {matched.sum()} pairs are matched")


def measured(scores, size, threshold=0.5):
    """Average precision and accuracy, updated with batches of `size`."""
    precision, accuracy = BinaryAveragePrecision(), BinaryAccuracy(threshold=threshold)
    for start in range(0, len(scores), size):
        batch = torch.tensor(scores[start : start + size]), torch.tensor(matched[start : start + size], dtype=torch.long)
        precision.update(*batch)
        accuracy.update(*batch)
    return round(precision.compute().item(), 3), round(accuracy.compute().item(), 3)


right = round(sklearn.metrics.average_precision_score(matched, cosines), 3), round(((cosines > 0.5) == matched).mean(), 3)
print("average precision, accuracy; scikit-learn:", *right)
sizes = 1, 4, 8, 16, 2000
found = {size: measured(cosines, size) for size in sizes}
halved = {size: measured((cosines + 1) / 2, size, 0.75) for size in sizes}
for size in sizes:
    print(f"batches of {size:4}: cosines", *found[size], " (cosine + 1) / 2", *halved[size])
precisions = [precision for precision, _ in found.values()]
accuracies = [accuracy for _, accuracy in found.values()]
good = all(abs(value - want) <= 0.002 for pair in halved.values() for value, want in zip(pair, right, strict=True))
falls = accuracies == sorted(accuracies, reverse=True) and accuracies[0] - accuracies[-1] > 0.25
sys.exit(not good or not falls or max(precisions) - min(precisions) < 0.05 or abs(precisions[-1] - right[0]) > 0.001)
PY
