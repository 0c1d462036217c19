"""Every visual-saliency model in one box: run it, compare it, measure it.

>>> import salbox, skimage.data
>>> saliency = salbox.load("gbvs")(skimage.data.chelsea())  # or a path: "photo.jpg"
>>> saliency.shape
(300, 451)
"""

from pathlib import Path as _Path

import lazy_loader as _lazy

from .system.offline import stay_offline as _stay_offline

_stay_offline()  # before any road to a library that reports home

__getattr__, __dir__, _found = _lazy.attach_stub(__name__, __file__)
# Rooms such as `salbox.metrics` are found when they are asked for, too; `from salbox import *` leaves them alone.
__all__: list[str] = [
    name for name in _found if not (_Path(__file__).parent / name).is_dir() and name not in ("bench", "writing")
]
