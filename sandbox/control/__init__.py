"""The control calls: put a customer into a state, move time, look inside."""
