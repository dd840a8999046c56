#!/usr/bin/env bash
# cffconvert cites a data set by another work's DOI, and as software.
#
# One would guess: of a CITATION.cff with "type: dataset", a "doi" and further "identifiers" the citation has that doi, the
#                  data set's, and a converter knows it for a data set.
# What happens:    the first DOI among the identifiers takes the place of "doi": that of an earlier version, or of all
#                  versions, or of the pictures that were used, whatever its "description" says, in BibTeX, APA, RIS, EndNote,
#                  CodeMeta and schema.org. "type" is not looked at: schema.org and CodeMeta say SoftwareSourceCode,
#                  where they have Dataset, and RIS says GEN, where it has DATA. The "preferred-citation", the paper, is in
#                  none of them. Of the title "100% & more" BibTeX has the letters as they are: LaTeX takes the rest of the
#                  line for a comment. --validate finds the file valid, and no conversion warns.
# Why it matters:  citations of a data set are counted by its DOI; here another work gets them.
# Source:          the schema guide of Citation File Format 1.2.0 on doi, identifiers, type and preferred-citation;
#                  cffconvert/behavior_1_2_x/bibtex_object.py, add_doi, asks the identifiers first.
# Seen:            by running (cffconvert 2.0.0). Cure: put the work's own DOI first among the identifiers.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q cffconvert==2.0.0
cd "$work"
cat > CITATION.cff <<'CFF'
cff-version: 1.2.0
message: Please cite the paper.
type: dataset
title: "Clips: 100% & more"
version: 2.0.0
doi: 10.5281/zenodo.2222222
date-released: 2026-11-30
authors:
  - family-names: Doe
    given-names: Jane
identifiers:
  - type: doi
    value: 10.5281/zenodo.1111111
    description: the first version, withdrawn
preferred-citation:
  type: conference-paper
  title: The paper about the clips
  year: 2025
  authors:
    - family-names: Doe
      given-names: Jane
CFF
venv/bin/cffconvert --validate
for form in bibtex apalike ris endnote codemeta schema.org; do
  venv/bin/cffconvert -f "$form" > "with.$form"
done
mkdir alone first
sed '/^identifiers:/,/description:/d' CITATION.cff > alone/CITATION.cff
sed 's|^identifiers:|&\n  - type: doi\n    value: 10.5281/zenodo.2222222|' CITATION.cff > first/CITATION.cff
for folder in alone first; do
  (cd "$folder" && ../venv/bin/cffconvert --validate && ../venv/bin/cffconvert -f bibtex > ../"$folder.bibtex")
done
cat with.bibtex
grep -h -o '"@type": "Software[A-Za-z]*"' with.codemeta with.schema.org
head -n 1 with.ris
for form in bibtex apalike ris endnote codemeta schema.org; do
  echo "$form: $(grep -o 'zenodo\.[0-9]*' "with.$form" | sort -u | tr '\n' ' ')"
  [ "$(grep -o 'zenodo\.[0-9]*' "with.$form" | sort -u)" = zenodo.1111111 ]
  if grep -q 'The paper about' "with.$form"; then exit 1; fi
done
[ "$(grep -c SoftwareSourceCode with.codemeta with.schema.org | tr '\n' ' ')" = "with.codemeta:1 with.schema.org:1 " ]
grep -q '^TY  - GEN' with.ris
grep -q '{Clips: 100% & more}' with.bibtex
grep -q 'zenodo.2222222' alone.bibtex
grep -q 'zenodo.2222222' first.bibtex
