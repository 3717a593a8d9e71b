"""Plugins: finds them, asks the user before it runs one, loads and reloads each without affecting others.

A plugin is one Python file in a ``plugins`` folder, beside the workspace or in the data folder, or an
installed package. The API for authors of plugins is ``app.plugin``.
"""
