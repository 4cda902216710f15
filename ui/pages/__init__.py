"""A module a page; each has `register(container)`, which adds its routes."""
