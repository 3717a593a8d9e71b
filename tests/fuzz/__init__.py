"""Fuzz targets: what a peer or a file can reach, fed with mutations of inputs that are right.

Each module has one target or a few of a kind. ``python -m tests.fuzz`` runs them for as long as one likes;
``make bench`` for a minute each, ``make test`` for a second.
"""
