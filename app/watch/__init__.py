"""Checks whether targets are well, again and again: the tables ``[[watch]]`` of a workspace."""
