"""exo: governance for a git repository in which many people and agents work at once.

The rooms of this package, what each may import and touch, and the promises that hold everywhere are written down
in docs/architecture.md; the import contracts in pyproject.toml hold them.
"""

from typing import Final

__version__: Final = "0.1.0"
