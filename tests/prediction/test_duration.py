"""How long a model will take: a clock that is known."""

from __future__ import annotations

import numpy as np
import pytest

from salbox.prediction.duration import expected_seconds


class Clockwork:
    """A model that takes a fixed time and one for every pixel, by a clock of its own."""

    def __init__(self, fixed: float, per_pixel: float) -> None:
        self.fixed, self.per_pixel, self.now, self.sizes = fixed, per_pixel, 0.0, []

    def __call__(self, image):
        self.sizes.append(image.shape[:2])
        self.now += self.fixed + self.per_pixel * image.shape[0] * image.shape[1]

    def clock(self) -> float:
        return self.now


@pytest.mark.parametrize(("fixed", "per_pixel"), [(0.5, 0.0), (0.0, 1e-5), (0.2, 3e-6)])
def test_a_fixed_part_and_one_that_grows_with_the_pixels(fixed, per_pixel):
    model = Clockwork(fixed, per_pixel)
    image = np.zeros((480, 640, 3), np.uint8)
    assert expected_seconds(model, image, model.clock) == pytest.approx(fixed + per_pixel * 480 * 640)
    assert max(max(size) for size in model.sizes) == 160


def test_an_image_of_a_pixel_has_a_time_as_well():
    model = Clockwork(0.25, 0.0)
    assert expected_seconds(model, np.zeros((1, 1, 3), np.uint8), model.clock) == pytest.approx(0.25)
