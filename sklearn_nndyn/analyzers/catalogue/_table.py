"""All codes that the package can give, by phenomenon. A new finding gets its entry here first."""

from sklearn_nndyn.analyzers.catalogue._loss_tails import LOSS_TAILS
from sklearn_nndyn.analyzers.catalogue._refinement import REFINEMENT

PHENOMENA = {
    "Loss tails": LOSS_TAILS,
    "Refinement": REFINEMENT,
}
TABLE = {kind.code: kind for kinds in PHENOMENA.values() for kind in kinds}
