"""UniSal (Droste, Jiao and Noble 2020)."""
