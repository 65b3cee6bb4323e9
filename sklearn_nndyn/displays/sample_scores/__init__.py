"""Pictures of sample scores."""
