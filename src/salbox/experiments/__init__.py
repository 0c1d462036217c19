"""Several models distilled, tested and run in one go, as a file says: `salbox experiment`."""
