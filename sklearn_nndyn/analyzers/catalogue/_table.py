"""All codes that the package can give, by phenomenon. A new finding gets its entry here first."""

from sklearn_nndyn.analyzers.catalogue._comparison import COMPARISON
from sklearn_nndyn.analyzers.catalogue._entanglement import ENTANGLEMENT
from sklearn_nndyn.analyzers.catalogue._interventions import EPOCH_ENSEMBLE, INTERVENTIONS, STABILITY
from sklearn_nndyn.analyzers.catalogue._learning_phases import LEARNING_PHASES
from sklearn_nndyn.analyzers.catalogue._loss_tails import LOSS_TAILS
from sklearn_nndyn.analyzers.catalogue._refinement import REFINEMENT
from sklearn_nndyn.analyzers.catalogue._sample_scores import LABEL_ERRORS, SAMPLE_SCORES

PHENOMENA = {
    "Loss tails": LOSS_TAILS,
    "Refinement": REFINEMENT,
    "Entanglement": ENTANGLEMENT,
    "Stragglers of several runs": STABILITY,
    "Learning phases": LEARNING_PHASES,
    "Sample scores": SAMPLE_SCORES,
    "Wrong labels": LABEL_ERRORS,
    "Forgotten knowledge": EPOCH_ENSEMBLE,
    "Interventions": INTERVENTIONS,
    "Comparison of losses": COMPARISON,
}
TABLE = {kind.code: kind for kinds in PHENOMENA.values() for kind in kinds}
