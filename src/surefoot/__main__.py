"""`python -m surefoot`, for where the `surefoot` command is not on the path."""

import sys

from surefoot.cli.main import main

sys.exit(main())
