"""The actions of the windows: what each is, where it stands, and when it is enabled."""
