"""A Payment MS for your own Stripe account: `python -m payment_service`. It keeps the contract of docs/contract.md.

It imports nothing of the app, and the app speaks to it over HTTP only.
"""
