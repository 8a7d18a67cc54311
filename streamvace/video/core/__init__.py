"""What sources and sinks share."""
