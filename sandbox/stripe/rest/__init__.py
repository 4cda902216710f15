"""Stripe's REST API over what `sandbox.stripe` does: a thin room, and Stripe's own libraries talk to it unchanged."""
