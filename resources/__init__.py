"""Icons, themes and the demo workspace; read them with importlib.resources."""
