"""Pictures of compared losses."""
