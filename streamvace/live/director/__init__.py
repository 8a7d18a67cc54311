"""What shapes the next chunk."""
