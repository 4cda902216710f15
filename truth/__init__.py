"""Random lives against the app and its sandbox, and an oracle that knows only what the sandbox knows.

`python -m truth` plays stories; `docs/truth.md` tells how. Nothing of the product imports this package.
"""
