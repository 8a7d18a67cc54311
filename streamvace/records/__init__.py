"""What passes between rooms: frames, chunks, model options. No behaviour."""
