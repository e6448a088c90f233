"""The support desk: people answer what the bot cannot, when somebody is there."""
