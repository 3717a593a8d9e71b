"""Any Twisted program in a process of its own, with what it does on the network recorded.

``starting`` is for who starts one; everything else runs inside the program's process.
"""
