"""Networks that can be trained: what they share, those that are salbox's own, and how one is made or made anew."""
