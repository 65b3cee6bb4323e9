"""When layers stop keeping their input: the phases of learning, and the formulas to find them by."""

from sklearn_nndyn.analyzers.learning_phases._analyzer import LearningPhaseAnalyzer
from sklearn_nndyn.analyzers.learning_phases._phases import LearningPhases, find_phases, phase_boundaries
from sklearn_nndyn.analyzers.learning_phases._worst_shares import worst_shares

__all__ = ["LearningPhaseAnalyzer", "LearningPhases", "find_phases", "phase_boundaries", "worst_shares"]
