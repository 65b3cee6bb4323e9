"""Why the mean held-out loss rises while accuracy holds: per-sample loss tails."""
