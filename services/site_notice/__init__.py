"""A notice that the operator puts on all pages: its file, and which of it stands now."""
