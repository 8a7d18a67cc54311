"""What everything stands on: errors, files, clock, process. Standard library only."""
