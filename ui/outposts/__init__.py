"""The dock of outposts: Posts elsewhere that are read and steered from here."""
