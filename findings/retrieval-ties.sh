#!/usr/bin/env bash
# A model that scores all clips alike has recall@1 of 1.0 among 10 or 15 clips, and of 0.0 among 16 or 20.
#
# One would guess: equal scores give the chance, 1 in 10, or the order in which the clips were put in, in any number.
# What happens:    ranx takes ties in the order of a sort that keeps the order of up to 15 clips, and of more than 15 does
#                  not. With the right clip put in first, as a list of "the positive and its negatives" does, a collapsed
#                  model is perfect among 15 clips and never right among 16. make_comparable=True, which changes nothing
#                  about texts that all have results, sorts once more: among 20 clips recall@1 is 1.0 with it and 0.0
#                  without, among 100 recall@10 is. trec_eval sorts ties by the clips' names; that is the chance here. But
#                  it takes for tied what float32 cannot tell apart: right clips ahead by 1e-9, as saturated cosines are,
#                  have recall@1 of 0.05 there, and of 1.0 in ranx.
# Why it matters:  the best value comes from the worst model. float16 features and equal clips tie in good ones too.
# Source:          ranx/data_structures/common.py: numba's argsort of the negated scores; trec_eval.h: "float sim".
# Seen:            by running (ranx 0.3.21, pytrec-eval-terrier 0.5.11). Cure: round, then break ties by chance or against
#                  the right clip, before a tool sees the scores.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q ranx==0.3.21 pytrec-eval-terrier==0.5.11 numpy==2.4.6 numba==0.68.1
cd "$work"
HOME="$work" venv/bin/python -W ignore - <<'PY'
import sys

import pytrec_eval
import ranx


def judged(count):
    """One text for each clip, and its one right clip."""
    return {f"text{i:03}": {f"clip{i:03}": 1} for i in range(count)}


def run(count, ahead, right_first=True):
    """The scores of all clips for each text, the right one put in first or last."""
    made = {}
    for text, answer in judged(count).items():
        (right,) = answer
        others = [clip for clip in (f"clip{i:03}" for i in range(count)) if clip != right]
        order = [right, *others] if right_first else [*others, right]
        made[text] = {clip: 0.9 + ahead * (clip == right) for clip in order}
    return made


def by_ranx(count, scores, comparable):
    names = ["recall@1", "recall@10"]
    found = ranx.evaluate(ranx.Qrels(judged(count)), ranx.Run(scores), names, make_comparable=comparable)
    return tuple(round(float(found[name]), 3) for name in names)


def by_trec(count, scores):
    found = pytrec_eval.RelevanceEvaluator(judged(count), {"recall.1,10"}).evaluate(scores).values()
    return tuple(round(sum(text[name] for text in found) / count, 3) for name in ("recall_1", "recall_10"))


CASES = {
    "15 tied, right first": (15, run(15, 0)),
    "15 tied, right last": (15, run(15, 0, right_first=False)),
    "16 tied, right first": (16, run(16, 0)),
    "20 tied, right first": (20, run(20, 0)),
    "100 tied, right first": (100, run(100, 0)),
    "20, right ahead by 1e-9": (20, run(20, 1e-9)),
    "20, right ahead by 0.01": (20, run(20, 0.01)),
}
found = {}
print("recall@1, recall@10        ranx         make_comparable  trec_eval")
for name, (count, scores) in CASES.items():
    found[name] = by_ranx(count, scores, False), by_ranx(count, scores, True), by_trec(count, scores)
    print(f"{name:25}", *found[name], sep="  ")
none, all_right, first_ten = (0.0, 0.0), (1.0, 1.0), (0.0, 1.0)
want = {
    "15 tied, right first": (all_right, all_right, (0.067, 0.667)),
    "15 tied, right last": (none, none, (0.067, 0.667)),
    "16 tied, right first": (none, all_right, (0.062, 0.625)),
    "20 tied, right first": (none, all_right, (0.05, 0.5)),
    "100 tied, right first": (none, first_ten, (0.01, 0.1)),
    "20, right ahead by 1e-9": (all_right, all_right, (0.05, 0.5)),
    "20, right ahead by 0.01": (all_right, all_right, all_right),
}
sys.exit(found != want)
PY
