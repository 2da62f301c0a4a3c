#!/usr/bin/env bash
# Makes .venv with everything that training, measuring and testing need, and installs facealign into it (editable).
# Run again, it returns at once unless the requirements have changed. It needs no root and, where wheels exist
# (Python 3.10 and 3.11), no compiler.
#
#   bash tools/setup_env.sh
#
# PYTHON=python3.10 chooses the interpreter of a new .venv. A torch (2.6 or newer) that python3 already has is kept
# and used, and so is the full mmcv. pip's own settings (PIP_INDEX_URL, PIP_FIND_LINKS, PIP_NO_INDEX) hold.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv=$PWD/.venv
python=$venv/bin/python
stamp=$venv/facealign.stamp
log=$venv/install.log
outside=kept-torch.pth # in .venv's site-packages: the folder of a torch that is kept

fail() {
    echo "error: $*" >&2
    exit 2
}

say() { echo "[env $((SECONDS / 60)):$(printf %02d $((SECONDS % 60)))] $*"; }

fits() { "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; }

choose_python() {
    local name
    if [ -n "${PYTHON:-}" ]; then
        fits "$PYTHON" || fail "PYTHON=$PYTHON does not run or is not Python 3.10 to 3.12"
        echo "$PYTHON"
    elif fits python3 && python3 tools/choose_torch.py kept; then
        echo python3
    else
        for name in python3.11 python3 python3.10 python3.12; do
            if fits "$name"; then
                echo "$name"
                return
            fi
        done
        fail 'no Python 3.10 to 3.12 here; install one (apt install python3 python3-venv) or name one in PYTHON'
    fi
}

make_venv() {
    local base version
    base=$(choose_python)
    version=$("$base" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$base" -c 'import venv, ensurepip' 2>/dev/null ||
        fail "$base cannot make environments; install its venv module (apt install python$version-venv)"
    say "making .venv with Python $version"
    "$base" -m venv --clear "$venv" || fail "$venv cannot be made; check your permissions and the disk space"
    if "$base" tools/choose_torch.py kept; then
        # A path file rather than --system-site-packages, which does not reach into a virtual environment in use.
        "$base" -c 'import importlib.util as u, os.path as p; d = p.dirname(p.dirname(u.find_spec("torch").origin))
print(f"import site; site.addsitedir({d!r})")' >"$("$python" -c 'import site; print(site.getsitepackages()[0])')/$outside"
        say "keeping $("$python" tools/choose_torch.py torch)"
    fi
}

# Runs a pip (or a script that runs it) with its output in the log; shows the large downloads, and one line on failure.
logged() {
    echo "+ $*" >>"$log"
    "$@" 2>&1 | tee -a "$log" | { grep --line-buffered -E '^ *Downloading .*\(([0-9]{2,}(\.[0-9]+)? M|[0-9.]+ G)B\)' || true; } && return
    if grep -qiE 'connection broken|name resolution|unreachable|timed out|ProxyError|ConnectionError' "$log"; then
        fail "pip cannot reach its package index; check the network (or PIP_INDEX_URL) and run this again; log: $log"
    elif grep -qi 'No space left' "$log"; then
        fail "the disk is full; .venv takes 2 GB (7 GB with a CUDA build of torch); log: $log"
    elif grep -q 'xtcocotools' <(grep -iE 'error|failed' "$log"); then
        fail "xtcocotools has no wheel for this Python and no compiler built it; use Python 3.11 or 3.10" \
            "(rm -r .venv; PYTHON=python3.11), or install a compiler (apt install build-essential python3-dev); log: $log"
    fi
    fail "$(grep -iE '^ *error:' "$log" | tail -n 1 | sed 's/^ *ERROR: *//I' || true); log: $log"
}

pip_install() { logged "$python" -m pip install --disable-pip-version-check "$@"; }

# The lock is for one system; beside a torch from elsewhere the ranges leave what is there as it is.
takes_lock() {
    [ "$(uname -sm)" = 'Linux x86_64' ] && ! compgen -G "$venv/lib/python3.11/site-packages/$outside" >/dev/null &&
        "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'
}

# mmcv-lite and the full mmcv own the same folder.
without_mmcv_lite() {
    "$python" -c 'import importlib.metadata as m
assert (2, 0) <= tuple(map(int, m.version("mmcv").split(".")[:2])) < (2, 2)' 2>/dev/null || return 1
    say 'keeping the full mmcv'
}

install() {
    local torch openmmlab=requirements/openmmlab.txt lock=requirements/lock-py311.txt
    torch=$("$python" tools/choose_torch.py torch)
    if without_mmcv_lite; then
        for name in openmmlab lock; do
            grep -v '^mmcv-lite' "${!name}" >"$venv/$name.txt"
            printf -v "$name" %s "$venv/$name.txt"
        done
    fi
    if takes_lock; then
        say 'installing the tested versions (requirements/lock-py311.txt)'
        pip_install --no-deps -r "$lock"
        say "installing $torch"
        pip_install "$torch"
    else
        if ! "$python" -m pip install --no-deps --only-binary :all: 'xtcocotools>=1.14' >>"$log" 2>&1; then
            say 'building xtcocotools, which has no wheel for this Python'
            pip_install 'numpy>=1.26' cython 'setuptools<81' # its setup.py imports them without asking for them
            pip_install --no-deps --no-build-isolation 'xtcocotools>=1.14'
        fi
        say "installing $torch and requirements/*.txt"
        pip_install "$torch" -r requirements/inference.txt -r requirements/train.txt -r requirements/h5.txt \
            -r requirements/heif.txt -r requirements/test.txt
        say 'installing OpenMMLab'
        pip_install --no-deps -r "$openmmlab"
    fi
    logged "$python" tools/choose_torch.py torchvision
    pip_install --no-deps --no-build-isolation -e .
    "$python" -c 'import facealign.plugin' >>"$log" 2>&1 || fail "$(tail -n 1 "$log"); log: $log"
}

wanted=$(cat requirements/*.txt setup.py tools/choose_torch.py tools/setup_env.sh <(echo "$PWD") | sha256sum)
if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && [ -x "$python" ]; then
    exit 0
fi
"$python" -m pip --version >/dev/null 2>&1 || make_venv
: >"$log"
install
echo "$wanted" >"$stamp"
say "ready: . .venv/bin/activate"
