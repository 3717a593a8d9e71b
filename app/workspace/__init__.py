"""The workspace: reading, checking and saving the TOML file of the services."""
