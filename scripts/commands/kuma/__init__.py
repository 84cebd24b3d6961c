"""Shared by the commands for Kuma: reading its documents, asking the server about them, and deciding."""
