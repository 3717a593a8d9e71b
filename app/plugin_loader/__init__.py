"""What users add: finds plugins, asks before it runs one, loads and reloads it without touching others.

A plugin is one Python file in a ``plugins`` folder, beside the workspace or in the data folder, or an
installed package. What its author writes stands in ``app.plugin``.
"""
