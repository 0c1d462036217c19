"""Classifiers as published networks have them inside: layers named as in the authors' weights."""
