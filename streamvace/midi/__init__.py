"""MIDI devices: their ports in a process of their own, the messages, and what they do to the show."""
