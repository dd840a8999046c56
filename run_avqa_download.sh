#!/usr/bin/env bash
# Sets up .venv beside this script if needed, then downloads (or rehearses) with it. Signals and the exit code
# are the Python program's own: it takes this shell's place.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: ./run_avqa_download.sh general DATA_DIR [WORKERS [RATE [SLEEP]]] [options]
       ./run_avqa_download.sh rehearse [FOLDER]

  general    download General AVQA into DATA_DIR; WORKERS (4), RATE per download (50K) and SLEEP (3.0) as for
             download_general_avqa.py, which takes the further options too (--help lists them)
  rehearse   run the same program on ten made-up clips and a stand-in for YouTube, to see that this machine
             can do the job; works in FOLDER (./data)

  nohup ./run_avqa_download.sh general ./data/avqa 4 50K 3.0 > avqa_download.out 2>&1 &

The first start makes .venv from requirements.txt, with $PYTHON or the newest python from 3.11 up.
TEXT
}

fail() {
    echo "error: $1" >&2
    exit "${2:-1}"
}

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
venv=$here/.venv

find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3.{20..11} python3 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v -- "$candidate"
            return
        elif [ "$candidate" = "${PYTHON:-}" ]; then
            fail "\$PYTHON is $PYTHON, which does not run as Python 3.11 or newer"
        fi
    done
    fail "no Python from 3.11 up was found; name one: PYTHON=/path/to/python3.11 $0 ..."
}

make_venv() {
    local python
    python=$(find_python)
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        fail "$python has no venv module; install it (on Debian: apt install python3-venv) or name another: PYTHON=..."
    echo "Setting up $venv with $python ..." >&2
    # What works is kept and only brought up to date: another run may be using it.
    if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --clear "$venv" || fail "$venv could not be made"
    fi
    install_packages -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/requirements.txt"
}

install_packages() {
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" ||
        fail "pip could not install: $*; see above, mend it (proxy? network?) and start again"
}

# The copy of requirements.txt is the last thing that a set-up writes: without it, there was none, or half of one.
set_up() {
    if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt" ||
        ! "$venv/bin/python" -c 'import yt_dlp, requests, tqdm, filelock, imageio_ffmpeg' 2>/dev/null; then
        make_venv
    fi
}

case "${1:-}" in
general)
    shift
    [ $# -gt 0 ] && [ "${1#-}" = "$1" ] || { usage >&2; exit 2; }
    words=(--data-dir "$1")
    shift
    for option in --workers --rate-limit --sleep; do
        if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then
            words+=("$option" "$1")
            shift
        else
            break
        fi
    done
    set_up
    exec "$venv/bin/python" -u "$here/download_general_avqa.py" "${words[@]}" "$@"
    ;;
rehearse)
    shift
    set_up
    "$venv/bin/python" -c 'import trustme' 2>/dev/null || install_packages trustme
    exec "$venv/bin/python" -u "$here/tests/rehearse.py" "$@"
    ;;
-h | --help)
    usage
    ;;
*)
    usage >&2
    exit 2
    ;;
esac
