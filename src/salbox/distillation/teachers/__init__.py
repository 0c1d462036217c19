"""The maps that a network learns from: computed by a model, read from a folder, of changed photos."""
