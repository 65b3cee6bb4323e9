"""How each sample was learned: confidence, variability, forgetting, and labels that look wrong."""
