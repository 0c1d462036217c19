"""What benchmarks take: maps of all their images in one file, written, read back and checked."""

from .benchmarks import BENCHMARKS, Benchmark, benchmark_images, get_benchmark
from .checking import Checked, check_submission
from .hdf5 import Hdf5Submission, read_hdf5
from .salicon import SaliconSubmission, read_salicon
from .submitting import Computed, export_hdf5, submit

Made = Computed  # its first name

__all__ = [
    "BENCHMARKS",
    "Benchmark",
    "Checked",
    "Computed",
    "Hdf5Submission",
    "Made",
    "SaliconSubmission",
    "benchmark_images",
    "check_submission",
    "export_hdf5",
    "get_benchmark",
    "read_hdf5",
    "read_salicon",
    "submit",
]
