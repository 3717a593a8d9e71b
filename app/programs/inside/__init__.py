"""What runs inside the process of a hosted program: it records the program, and hands on what it has recorded.

``start`` and ``host`` are its first lines. Each Python from 3.11 on runs it, with the Twisted that is there.
"""
