#!/usr/bin/env bash
# Everything that must hold before a change lands: lint, format, types, tests. Makes .venv first if it is missing.
#
#   bash tools/run_tests.sh              all of it; pytest's summary is the last line
#   bash tools/run_tests.sh tests/io -k pts     arguments go to pytest
#   FACEALIGN_TEST_PROCESSES=0 bash tools/run_tests.sh tests/io --pdb     in one process
#
# Tests on real faces look for ../shared or $FACEALIGN_SHARED; where it is missing they skip and say what they need.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bash tools/setup_env.sh
export PATH=$PWD/.venv/bin:$PATH PYTHONPATH=$PWD/projects
# Small tensors gain nothing from many threads, and the tests start processes of their own.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

status=0
ruff check . || status=1
ruff format --check . || status=1
mypy || status=1
[ "$status" -eq 0 ] || echo 'error: lint, format or types: see above' >&2
# As many processes as cores, up to four: each makes its own drawn faces and needs a gigabyte.
cores=$(env -u OMP_NUM_THREADS nproc) # which takes that variable for the number of cores
python -m pytest -n "${FACEALIGN_TEST_PROCESSES:-$((cores < 4 ? cores : 4))}" --dist worksteal "$@" || status=1
exit "$status"
