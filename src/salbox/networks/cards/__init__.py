"""Cards of the networks, apart from them so that they can be read without torch."""
