"""Pages for those who run the app, with OPS_TOKEN as the password, beside `/ops` itself."""
