"""Choose the clips whose sound says most about their picture, by mutual information of clusters."""
