"""Networks read as weighted sums of a few hundred probability maps (Chen, Jiang and Zhao 2023)."""
