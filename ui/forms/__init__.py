"""Forms made from declared options."""
