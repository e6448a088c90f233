"""Functions that a bot can run for people: by command, and some in words."""
