"""Shared by the commands: no module here knows a command."""
