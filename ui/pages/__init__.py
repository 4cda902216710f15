"""A module a page; each has `register(site)`, which adds its routes."""
