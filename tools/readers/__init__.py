"""What the readers of the field make of our files: `make readers` writes docs/readers.md.

clips makes the files and says what is due, rooms installs the readers, asking and drivers/ ask them, verdicts
compares, page writes.
"""
