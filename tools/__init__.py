"""Scripts for developers, run as `python -m tools.NAME`; the app imports none of them."""
