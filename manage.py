#!/usr/bin/env python
"""Django entry point; nothing else."""

import sys

from novapulse import cli

if __name__ == "__main__":
    sys.exit(cli.main(sys.argv))
