"""One run, step by step: from a list to what is there in the end."""
