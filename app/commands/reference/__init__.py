"""The tables of the pages in ``docs``, made from what the code declares.

``python -m app.commands.reference PAGE …`` writes them into the pages; a test compares.
"""
