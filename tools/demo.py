"""Find faces and their landmarks in images and videos: ``facealign align`` under the name MMPose's users look for.

Examples:
    python tools/demo.py photo.jpg --save-images --out out
    python tools/demo.py photos/ --out out --format csv
"""

from __future__ import annotations

import argparse

from facealign import cli
from facealign.errors import run_command
from facealign.utils.help_text import HelpFormatter


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    cli.add_align_arguments(parser)
    return cli.align(parser.parse_args())


if __name__ == '__main__':
    run_command(main)
