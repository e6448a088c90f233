"""hobnob: chatbots that live where people already talk."""

__version__ = "0.1.0"
