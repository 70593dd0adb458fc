"""`python -m isla_console` is `isla-console`."""

from __future__ import annotations

import sys

from isla_console.cli import main

if __name__ == "__main__":
    sys.exit(main())
