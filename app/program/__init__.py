"""The program itself: what blocks its loop, and what of it grows."""
