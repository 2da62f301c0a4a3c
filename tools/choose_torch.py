"""Which torch and which torchvision: the one place where that is decided. Run it with the environment's Python.

    choose_torch.py kept          status 0 if the torch that is there will be kept, 1 if there is none to keep
    choose_torch.py torch         prints pip's requirement for torch
    choose_torch.py torchvision   installs a torchvision that imports beside it, if there is none yet

A torch that is already there is kept to the letter, so that a CUDA build chosen for a machine's driver survives;
otherwise it is the tested release from the machine's own package index.

torchvision holds compiled code for exactly one torch build, and all that is used of it here is Python (MMPose and
MMDetection import it). So its published twin is tried first, torch 2.N.P with torchvision 0.(N+15).P. That one
does not import beside a torch of another origin (a CPU build, a vendor's own), since it registers its operators
whether or not its library loaded; 0.16 is the newest that looks first, and imports beside every later torch.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from importlib import metadata

TESTED = '2.13.0'
OLDEST = (2, 6)  # see requirements/train.txt
FALLBACK = '0.16.2'  # wheels for Python up to 3.11


def is_kept(installed: str | None) -> bool:
    """Whether the torch that is there (``2.11.0+cu128``, or None) stays."""
    return installed is not None and version_numbers(installed)[:2] >= OLDEST


def torch_requirement(installed: str | None) -> str:
    """pip's requirement for torch, given the version that is there or None."""
    return f'torch=={installed if is_kept(installed) else TESTED}'


def torchvision_candidates(torch: str) -> list[str]:
    """Versions of torchvision to try beside this torch, best first."""
    major, minor, patch = version_numbers(torch)
    if major != 2:
        return [FALLBACK]
    twin = f'0.{minor + 15}.{patch}'
    return [FALLBACK, twin] if torch.endswith('+cpu') else [twin, FALLBACK]


def version_numbers(version: str) -> tuple[int, int, int]:
    """``2.11.0a0+git1`` → ``(2, 11, 0)``."""
    found = re.match(r'(\d+)\.(\d+)(?:\.(\d+))?', version)
    if found is None:
        raise ValueError(f'not a version: {version}')
    major, minor, patch = found.groups(default='0')
    return int(major), int(minor), int(patch)


def installed_torch() -> str | None:
    """Version of the torch in this environment, or None."""
    if importlib.util.find_spec('torch') is None:
        return None
    try:
        return metadata.version('torch')
    except metadata.PackageNotFoundError:  # a source tree on the path: nothing pip could keep
        return None


def torchvision_imports() -> bool:
    """Whether torchvision imports here; asked in a process of its own, since a failure leaves torch half changed."""
    return subprocess.run([sys.executable, '-c', 'import torchvision'], capture_output=True).returncode == 0


def install_torchvision() -> None:
    """Try the candidates until one imports; ends the program with one line if none does."""
    torch = installed_torch()
    if torch is None:
        sys.exit('error: torch is not installed; install it first')
    if torchvision_imports():
        return
    candidates = torchvision_candidates(torch)
    for version in candidates:
        pip = [sys.executable, '-m', 'pip', 'install', '--no-deps', f'torchvision=={version}']
        if subprocess.run(pip).returncode == 0 and torchvision_imports():
            return
    sys.exit(f'error: no torchvision imports beside torch {torch} (tried {", ".join(candidates)}); install its twin')


if __name__ == '__main__':
    if sys.argv[1:] == ['kept']:
        sys.exit(not is_kept(installed_torch()))
    elif sys.argv[1:] == ['torch']:
        print(torch_requirement(installed_torch()))
    elif sys.argv[1:] == ['torchvision']:
        install_torchvision()
    else:
        sys.exit('usage: choose_torch.py kept|torch|torchvision')
