"""FastGaze, DeepGaze II distilled into a small network."""
