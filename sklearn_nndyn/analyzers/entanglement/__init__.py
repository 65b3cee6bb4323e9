"""How classes separate and mix again: the inversion point and its stragglers."""
