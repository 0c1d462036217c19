"""Arithmetic of other programs, repeated exactly: resizing, letterboxing, upsampling."""
