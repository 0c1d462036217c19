"""From images to maps: one image, folders, videos, comparisons, the demonstration."""
