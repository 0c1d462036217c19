"""SAMNet (Liu, Zhang, Bian, Zhang and Cheng 2021)."""
