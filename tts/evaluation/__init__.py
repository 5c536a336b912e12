"""How a voice does on recordings that it never learned from."""
