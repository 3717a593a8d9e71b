"""What a workspace asks for beyond this machine's own ports and its own folder, and whether the user allowed it.

``asks`` finds it out from declarations, ``store`` keeps the user's answers, for workspaces and for plugins.
"""
