"""Fifty outposts at one router, on this machine: ``make fleet``. What it needs beside the tests is Crossbar."""
