"""What a model is, where each is found, and how it is opened by its name."""
