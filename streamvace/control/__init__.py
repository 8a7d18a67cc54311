"""The parameters of a show and everything that changes them: fades, cues, beats, commands."""
