"""Sound in: the device in a process of its own, and what is heard in it as numbers."""
