"""Trouble on demand, and what was asked of the services."""
