"""Models fitted to a layer: decoders that reconstruct the input, and probes that classify."""
