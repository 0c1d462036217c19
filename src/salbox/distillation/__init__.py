"""Any model into a small one: teachers' maps, changed photos, training, fidelity."""
