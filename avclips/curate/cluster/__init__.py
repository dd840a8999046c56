"""k-means of each layer of features, and the cluster of each clip in each."""
