"""Pictures of learning phases."""
