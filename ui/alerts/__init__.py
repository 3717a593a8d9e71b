"""Alerts in the window: their dock, their forms, and the desktop's notifications."""
