"""Measurements: each a ratio against a reference measured in the same run, so that the machine's speed cancels out.

`python -m bench` runs all of them, writes `bench/results.json` and replaces the table in `docs/performance.md`.
"""
