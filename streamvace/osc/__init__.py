"""OSC in and out: decoding without I/O, address patterns, the server, feedback."""
