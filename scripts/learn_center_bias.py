"""Learn the centre bias that DeepGaze starts from by default: where OSIE's people looked, whatever the image.

    python scripts/learn_center_bias.py --data ../shared/data -o src/salbox/data/osie_center_bias.npy

The fixations on OSIE's 560 training images, each a Gaussian of the data set's own width, on a grid of 48 by 64; a
hundredth is spread evenly.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from salbox.datasets import Dataset, center_bias, open_dataset

GRID = (48, 64)  # of 12.5 pixels of OSIE's images, half as wide as the Gaussian's deviation


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with OSIE")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .npy to write")
    arguments = parser.parse_args()
    learned = learn(open_dataset(f"osie:{arguments.data / 'OSIE'}", split="train"))
    np.save(arguments.output, learned)
    print(f"wrote {arguments.output}, {arguments.output.stat().st_size} bytes")


def learn(osie: Dataset) -> npt.NDArray[np.float32]:
    """Return the log of the density over the grid's cells: (48, 64) float32, exp sums to 1."""
    indices = range(len(osie))
    shapes = [osie.shape(index) for index in indices]
    sigma = osie.sigma(0) * GRID[1] / shapes[0][1]
    density = center_bias([osie.fixations(index) for index in indices], shapes, GRID, sigma)
    return np.log(density).astype(np.float32)


if __name__ == "__main__":
    main()
