"""The worker process, and the stage's side of it."""
