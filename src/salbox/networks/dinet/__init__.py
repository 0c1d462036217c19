"""DINet (Yang, Lin, Jiang and Lin 2020)."""
