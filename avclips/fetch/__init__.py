"""From a plan to published clips: what is fetched next, by which worker, and what becomes of it."""
