"""One module a dataset: where its files come from, what stands in them, and how a record becomes a clip."""
