"""What Stripe does: its objects, its pages, its events."""
