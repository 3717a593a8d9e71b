"""The capture: recorder, writer process, file and readers."""
