"""The commands of `python app.py`, a module each. `serve` is the default."""
