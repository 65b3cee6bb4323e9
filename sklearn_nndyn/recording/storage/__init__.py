"""Where records and snapshots lie that are large: in files."""
