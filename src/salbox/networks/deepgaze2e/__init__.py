"""DeepGaze IIE (Linardos, Kümmerer, Press and Bethge 2021)."""
