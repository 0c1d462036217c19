"""Every visual-saliency model in one box: run it, compare it, measure it.

>>> import salbox, skimage.data
>>> saliency = salbox.load("gbvs")(skimage.data.chelsea())  # or a path: "photo.jpg"
>>> saliency.shape
(300, 451)
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
