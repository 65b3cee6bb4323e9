"""Files for records and snapshots that are large."""
