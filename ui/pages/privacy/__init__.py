"""Pages about what is kept of a user."""
