"""Moves and transfers of leases: for the commands leases, zones and pools."""
