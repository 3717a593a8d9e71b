"""Any Twisted program in a process of its own, with what it does on the network recorded.

What lies in ``inside`` runs in the program's process; everything else, in the one that has started it.
"""
