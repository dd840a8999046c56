"""One HTML page of what a download came to: ``avclips report``. Reads; writes the page and its pictures."""
