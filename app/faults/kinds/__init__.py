"""The kinds of fault, one module each. A module defines ``KIND``, or ``KINDS`` where several share their code."""
