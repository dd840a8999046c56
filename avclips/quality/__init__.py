"""Quality flags of a clip out of small pictures and sound: still, black, silent, loudness, fingerprints."""
