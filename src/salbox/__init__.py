"""Every visual-saliency model in one box: run it, compare it, measure it.

>>> import salbox
>>> saliency = salbox.load("gbvs")("photo.jpg")  # doctest: +SKIP
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
