"""JSON routes, sign-in, forms for browsers without scripts, health, metrics, and the guards before all of them."""
