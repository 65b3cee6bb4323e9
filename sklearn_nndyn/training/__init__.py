"""The engine: batches, one step, optimizers, and the epoch loop with its hooks and rollback."""
