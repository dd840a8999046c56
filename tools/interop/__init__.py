"""Whether the packages of others read what `avclips export` and our shards hold: `make interop`.

made makes a download, its exports and the truth; reading runs in an environment of its own and asks the packages.
"""
