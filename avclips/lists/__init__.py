"""A user's list of clips, whatever its format: files, columns, cells, and the clips that its rows name."""
