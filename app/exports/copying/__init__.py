"""What was captured as something to use elsewhere: a command for curl, a Python program, text, a rule.

What a peer sent stands in these only as data: quoted for the shell, or as a Python literal.
"""

from app.exports.copying.curl import as_curl
from app.exports.copying.mock_rule import as_rule
from app.exports.copying.python import as_python
from app.exports.copying.request import Asked, asked
from app.exports.copying.script_rule import as_script_rule
from app.exports.copying.text import as_text

__all__ = ["Asked", "as_curl", "as_python", "as_rule", "as_script_rule", "as_text", "asked"]
