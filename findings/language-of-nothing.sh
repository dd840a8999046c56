#!/usr/bin/env bash
# py3langid says of a text without a letter that it is Afrikaans, and of digits that they are no language: surely.
#
# One would guess: an empty title has no language, or one that is said with no confidence; and that a threshold on the
#                  score tells the two apart.
# What happens:    classify("") is ("af", -3.4e+38): the first language of its table, with the lowest float as its score;
#                  blanks are the same. classify("12345") is ("zxx", 0.6 or so), the code for no linguistic content.
# Why it matters:  tables of videos are full of empty titles and descriptions. A filter of languages drops them, or keeps
#                  them, for being Afrikaans, and a count of languages has some thousands of videos in it that nobody
#                  said a word in. Look for letters before asking.
# Seen:            by running (py3langid 0.4.0).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q py3langid==0.4.0
cd "$work"
venv/bin/python - <<'PY'
import sys

import py3langid

texts = ["", "   \n", "12345", "This is a video about my dog in the garden"]
found = {text: tuple(py3langid.classify(text)) for text in texts}
print({text: (language, float(score)) for text, (language, score) in found.items()})
languages = [found[text][0] for text in texts]
sys.exit(not (languages == ["af", "af", "zxx", "en"] and found[""][1] < -1e38))
PY
