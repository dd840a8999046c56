"""Choose the clips in which one hears what one sees: filter, segment, features, cluster, select."""
