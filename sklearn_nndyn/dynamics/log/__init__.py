"""A log of what any training loop tells of its samples, batch by batch."""
