"""Immutable records that pass between rooms: frames, chunks, the backlog, model options."""
