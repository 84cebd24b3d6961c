"""What the commands for Kuma share: reading its documents, asking the server about them, and deciding."""
