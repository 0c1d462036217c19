"""What a network has learned to look at: its features as bases, what these stand for, and what they do to its maps."""

import lazy_loader as _lazy

__getattr__, __dir__, _names = _lazy.attach_stub(__name__, __file__)
__all__ = _names
