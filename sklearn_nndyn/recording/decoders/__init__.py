"""What is learned from a layer: how well it gives the input back, and what a fresh classifier makes of it."""
