"""The classical algorithms, one file each, NumPy, SciPy and OpenCV only.

Every function takes an image, (H, W, 3) uint8 RGB, and returns the algorithm's own raw map, (H, W) float32.
"""
