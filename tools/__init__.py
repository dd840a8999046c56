"""Tools of the developers: the versions that the tests run with, and what a newer one changes.

They need nothing but Python: what they install goes into environments of its own.
"""
