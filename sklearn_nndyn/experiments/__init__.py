"""What becomes of a phenomenon when its supposed cause is taken away: networks are trained again, and compared."""

from sklearn_nndyn.experiments._removal import RemovalExperiment, remove_and_refit

__all__ = ["RemovalExperiment", "remove_and_refit"]
