"""Use cases and the other systems.

Pages and JSON routes call what is here; nothing here knows that pages or routes exist.
"""
