"""DeepGaze II (Kümmerer, Wallis, Gatys and Bethge 2017)."""
