"""Training: an explicit loop on Lightning Fabric; needs the extra `train`."""
