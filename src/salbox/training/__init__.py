"""Supervised training and distillation with Lightning; needs the extra `train`."""
