"""Pages to copy from. Start the app with one: `EXTENSIONS=examples.usage_page make run`."""
