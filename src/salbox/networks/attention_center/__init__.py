"""The attention center model (Google 2022)."""
