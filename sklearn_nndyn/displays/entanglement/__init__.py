"""Pictures of entanglement."""

from sklearn_nndyn.displays.entanglement._classes import ClassEntanglementDisplay
from sklearn_nndyn.displays.entanglement._curves import EntanglementDisplay
from sklearn_nndyn.displays.entanglement._straggler_gallery import StragglerGalleryDisplay
from sklearn_nndyn.displays.entanglement._straggler_stability import StragglerStabilityDisplay

__all__ = [
    "ClassEntanglementDisplay",
    "EntanglementDisplay",
    "StragglerGalleryDisplay",
    "StragglerStabilityDisplay",
]
