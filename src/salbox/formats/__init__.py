"""Readers of files that nobody vouches for: what is damaged, huge or hostile is one line, never a crash."""
