"""The output clock, its playhead, the sinks and the recorder."""
