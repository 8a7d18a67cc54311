"""Control pictures and media on their way in."""
