"""The product as real processes, and users of it without a browser: for tests, tools and benches alike."""
