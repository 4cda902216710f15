"""The control panel: the control calls as pages."""
