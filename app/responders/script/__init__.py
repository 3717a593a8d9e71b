"""Scripts: rules that say when a server does what, and the player that carries them out."""
