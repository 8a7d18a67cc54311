"""What every room uses: errors, files, the clock, the process. Standard library only."""
