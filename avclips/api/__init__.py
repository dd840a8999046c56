"""The same from Python; every name that a caller needs is in ``avclips`` itself.

A module a matter: ``downloading``, ``settings`` (of keywords), ``stopping``, ``opened``. Importing this package
imports none of them: to look at a folder, nobody waits for yt-dlp.
"""
