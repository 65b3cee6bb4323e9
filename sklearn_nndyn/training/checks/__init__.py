"""What is tried and checked before a network is trained."""
