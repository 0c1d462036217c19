"""What people want saliency for: the window of a photo that keeps what is looked at, and how much regions get of it."""

import lazy_loader as _lazy

__getattr__, __dir__, _names = _lazy.attach_stub(__name__, __file__)
__all__ = _names
