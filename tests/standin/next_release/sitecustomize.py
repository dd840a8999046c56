"""Python imports this by itself where its folder is on the path: a child gets the next release's clients."""

import next_clients

if next_clients.asked_for():
    next_clients.install()
