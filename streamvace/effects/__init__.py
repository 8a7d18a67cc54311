"""What is laid over the finished picture at every output tick: colour, zoom, trail, the control picture."""
