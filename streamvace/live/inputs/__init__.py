"""Open inputs by role, their frame rings, and pictures of the media folder."""
