"""What the show measures and reports about itself."""
