"""A local page to look at and listen to a download, or what was chosen of it: ``avclips explore``.

Reads; the only things it writes are its own cache and the marks that a user sets (annotations.csv).
"""
