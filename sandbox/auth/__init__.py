"""The Auth MS: accounts, sessions, sign-in."""
