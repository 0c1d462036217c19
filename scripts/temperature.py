"""How sure a density may be: the temperature at which it predicts fixations best."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from salbox.datasets import Dataset
from salbox.imaging.image import read_image
from salbox.types import Pixels


def best_temperature(density: Callable[[Pixels], npt.NDArray[Any]], data: Dataset) -> float:
    """Return the T for which p^(1/T), over its sum, has the highest likelihood of people's fixations.

    Above 1 the density is too sure of itself, below 1 not sure enough.

    Parameters
    ----------
    density : callable
        An image in, a log density of any size out.
    data : Dataset
    """
    terms = []
    for index, item in enumerate(data.items):
        values = density(read_image(item.image)).astype(np.float64)
        (height, width), fixations = data.shape(index), data.fixations(index)
        rows = np.clip((fixations.y + 0.5) / height * values.shape[0], 0, values.shape[0] - 1).astype(int)
        columns = np.clip((fixations.x + 0.5) / width * values.shape[1], 0, values.shape[1] - 1).astype(int)
        terms.append((values, values[rows, columns].mean()))

    def loss(inverse: float) -> float:
        return float(np.mean([np.log(np.exp(inverse * values).sum()) - inverse * looked for values, looked in terms]))

    return 1 / float(minimize_scalar(loss, bounds=(0.3, 3.0), method="bounded").x)
