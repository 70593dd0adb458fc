"""`python -m isla_console` is `isla-console`."""

import sys

from isla_console.cli import main

if __name__ == "__main__":
    sys.exit(main())
