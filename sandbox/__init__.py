"""The other systems, for a laptop: a Payment MS, an Auth MS and Stripe's hosted pages, on real sockets.

Written from the services' contract and not from our clients, so that a client that works here proves something.
It imports nothing of this project but `catalog`. No money moves, no request leaves the machine.
Start it with ``python -m sandbox``; ``docs/sandbox.md`` tells the whole story.
"""
