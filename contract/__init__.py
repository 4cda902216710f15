"""What this front end relies on in a Payment MS, as checks that anyone can run: ``python -m contract URL KEY``.

Written from the contract, with HTTP code of its own: it imports nothing of what it is a second opinion on. Of ours it
knows the catalog only, for ids to ask with.
"""
