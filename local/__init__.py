"""The whole stack on one machine: `python -m local up`, `down`, `status`, and `python -m local.demo`."""

import sys
from pathlib import Path

# The rules of the service (how an id is written in a path, which scopes there are) are imported, not repeated.
sys.path.append(str(Path(__file__).resolve().parent.parent / "lambda_src"))
