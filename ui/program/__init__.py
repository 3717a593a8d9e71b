"""The program itself: what grows in it, and where its metrics are served."""
