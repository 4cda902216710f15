"""What the browser shows: pages, components and the frame around them. Calls services, never another system."""
