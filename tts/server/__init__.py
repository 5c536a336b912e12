"""Voices over HTTP, as OpenAI's clients ask for speech."""
