"""What is true of a customer at Stripe and at both services."""
