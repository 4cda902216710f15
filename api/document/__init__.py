"""The OpenAPI document that the JSON API publishes."""
