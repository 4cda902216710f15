"""Under the embedded store: its one file, and what may become of that while it is open."""
