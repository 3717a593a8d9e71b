"""Forms made from declared options."""

from __future__ import annotations

from ui.forms import editors as editors
from ui.forms import table as table

# Both are imported so that they register their editors before the first form is made.
