"""What those who run the app ask: is it alive, is it ready, what does it count; and the key that signs entitlements."""
