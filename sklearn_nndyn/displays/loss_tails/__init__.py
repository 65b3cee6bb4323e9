"""Pictures of loss tails."""
