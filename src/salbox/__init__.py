"""Every visual-saliency model in one box: run it, compare it, measure it.

>>> import salbox, skimage.data
>>> saliency = salbox.load("gbvs")(skimage.data.chelsea())  # or a path: "photo.jpg"
>>> saliency.shape
(300, 451)
"""

import lazy_loader as _lazy

from .system.offline import stay_offline as _stay_offline

_stay_offline()  # before any road to a library that reports home

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
