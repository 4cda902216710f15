"""What a person runs beside the service: `python -m payment_service COMMAND`."""
