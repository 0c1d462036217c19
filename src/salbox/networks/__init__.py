"""PyTorch networks, one file an architecture; importing this package imports no torch."""
