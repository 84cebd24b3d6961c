"""What the commands share: no module here knows a command."""
