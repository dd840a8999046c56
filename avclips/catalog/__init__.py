"""What a data folder or an output of shards holds: a Sample a clip of its list, tables of them, coverage.

Reads what runs wrote; needs neither torch nor numpy. Loaders, exports, curation, explorer and report see a
download through this package alone.
"""
