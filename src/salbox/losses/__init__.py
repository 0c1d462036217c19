"""Losses of training: each takes logits, what they are compared with and which of it exists, and returns a scalar.

`loss(logits, truth, valid)`: logits (N, K, h, w), truth of the same shape, valid (N, K) bool. The result is the mean
over the maps that exist, 0 with a gradient of 0 if there are none; lower is better. `LOSSES` says what each compares
with and for which networks it is.

`LOSSES` and `check_losses` need no PyTorch; the functions do.
"""

import lazy_loader as _lazy

__getattr__, __dir__, _names = _lazy.attach_stub(__name__, __file__)
__all__ = _names
