"""How well a network imitates its teacher, measured on held-out photos, and the report of it."""
