"""``python -m seqmusic`` is the command ``seqmusic``."""

import sys

from seqmusic.cli import main

if __name__ == "__main__":
    sys.exit(main())
