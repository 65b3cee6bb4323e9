"""Grid search with all candidates trained at once."""
