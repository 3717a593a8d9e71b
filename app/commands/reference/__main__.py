"""Writes the tables anew into the pages that the command line names."""

from __future__ import annotations

import sys

from app.commands.reference import pages, tables

if __name__ == "__main__":
    pages.refresh(sys.argv[1:], tables.BLOCKS)
