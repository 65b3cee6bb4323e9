"""Pictures of entanglement."""
