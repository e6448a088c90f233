"""Discord for hobnob."""

import warnings

with warnings.catch_warnings():
    # Up to Python 3.12 discord.py imports a module of the standard library that 3.13 drops. That
    # is for its makers to mind, not for owners who show, or stop at, every warning.
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    import discord as discord
