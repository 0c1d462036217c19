"""Readers of the files in which other frameworks keep weights; none of them needs the framework."""
