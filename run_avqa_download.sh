#!/usr/bin/env bash
# Downloads a dataset with the Python of .venv, which it makes where there is none: by hand, under nohup, or with
# sbatch. Signals and the exit code are the Python program's own: it takes this shell's place, and with it that of
# Slurm's batch process.
#
# For sbatch, whose command line may say otherwise. No --output: slurm-JOB.out, and slurm-JOB_TASK.out in an array,
# are Slurm's own names, and no one pattern suits both.
#SBATCH --job-name=avqa_download
# Waiting is most of the work; ffmpeg, one for each worker, is the rest.
#SBATCH --cpus-per-task=2
# Python, and for each of four workers an ffmpeg and a JavaScript runtime.
#SBATCH --mem=4G
# As long as most partitions allow. The next job goes on where this one ended.
#SBATCH --time=1-00:00:00
# Before that: save and leave. B: is the batch process; without it, only what srun starts would be told.
#SBATCH --signal=B:TERM@120
# When the node fails, or is wanted by others: again elsewhere, and on in the same output file.
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail
unset CDPATH

usage() {
    cat <<'TEXT'
usage: ./run_avqa_download.sh general|music|audioset|vggsound DATA_DIR [WORKERS [RATE [SLEEP]]] [options]
       ./run_avqa_download.sh clips|acav100m LIST DATA_DIR [WORKERS [RATE [SLEEP]]] [options]
       ./run_avqa_download.sh curate STAGE [options]
       ./run_avqa_download.sh rehearse [FOLDER] [--keep]

  general    download General AVQA into DATA_DIR; audioset and vggsound: AudioSet, VGG-Sound
  music      download MUSIC-AVQA; the word may be left out before a path (./data/music_avqa)
  clips      download the clips of LIST, a table of your own, into DATA_DIR; acav100m: of a list of ACAV100M
  curate     choose clips: curate run METADATA --data-dir DIR, and the stages one by one (docs/curation.md); installs
             requirements-curate.txt besides
  rehearse   run the same program on ten made-up clips and a stand-in for YouTube, to see that this machine
             can do the job; works in FOLDER (./data); --keep leaves there what came

WORKERS (4), RATE of each download (50K), SLEEP in seconds (3.0) and the options are those of download_music_avqa.py
and the other scripts; general DATA_DIR --help lists them. The same command again goes on where it stopped.

  nohup ./run_avqa_download.sh ./data/music_avqa 4 50K 3.0 > avqa_download.out 2>&1 &
  sbatch run_avqa_download.sh ./data/music_avqa 4 50K 3.0
  sbatch --array=0-3 run_avqa_download.sh ./data/music_avqa 4 50K 3.0     (each task takes a share of the videos)

The first start makes .venv from requirements.txt, with $PYTHON or the newest python from 3.11 up. It lies in the
folder of this script, which $AVCLIPS_HOME names where it cannot be found.
TEXT
}

fail() {
    echo "error: $1" >&2
    exit 1
}

# -- where the project is --------------------------------------------------------------------------------------

# The folder of a script, whatever links lead to it.
folder_of() {
    local path=$1 target
    while [ -L "$path" ]; do
        target=$(readlink "$path")
        case $target in
        /*) path=$target ;;
        *) path=$(dirname -- "$path")/$target ;;
        esac
    done
    dirname -- "$path"
}

# The script that was given to sbatch. Slurm says PATH ARGUMENTS in one line, either of which may hold spaces, and
# PATH as it was typed.
submitted_script() {
    local line path
    while read -r line; do
        [ "${line#Command=}" != "$line" ] || continue
        path=${line#Command=}
        [ "${path#/}" != "$path" ] || path=${SLURM_SUBMIT_DIR:-.}/$path
        until [ -f "$path" ]; do
            [ "${path% *}" != "$path" ] || return 1
            path=${path% *}
        done
        printf '%s\n' "$path"
        return
    done < <(scontrol show job "$SLURM_JOB_ID" 2>/dev/null)
    return 1
}

try_here() {
    [ -n "$1" ] && [ -f "$1/$program" ] && here=$(cd -- "$1" && pwd)
}

# A batch job runs a copy of this script, in a folder of Slurm's. In a job of another script, this one is itself.
find_here() {
    local script
    if [ -n "${AVCLIPS_HOME:-}" ]; then
        try_here "$AVCLIPS_HOME" || fail "AVCLIPS_HOME is $AVCLIPS_HOME, and there is no $program"
        return
    fi
    try_here "$(folder_of "${BASH_SOURCE[0]}")" && return
    if [ -n "${SLURM_JOB_ID:-}" ]; then
        script=$(submitted_script) && try_here "$(folder_of "$script")" && return
        try_here "${SLURM_SUBMIT_DIR:-}" && return
        fail "$program is neither where Slurm says that this script was (${script:-it does not say}) nor in the \
folder of sbatch (${SLURM_SUBMIT_DIR:-unknown}); submit it from the project's folder, or name that: \
AVCLIPS_HOME=/path sbatch ..."
    fi
    fail "$program is not beside this script; leave it in the project's folder, or name that: AVCLIPS_HOME=/path"
}

# -- one set-up at a time --------------------------------------------------------------------------------------
#
# The tasks of an array start at once, on several nodes. A folder is made by one of them only, on NFS too; in it is
# an empty folder whose name is its owner's and changes every few seconds. An owner whose folder keeps its name is
# dead, and its folder can be removed by that name alone: by one waiter, and never after it was taken over.

BEAT=5
LOOK=2
LOOKS=45
# Seconds between two words of a pip that is at work.
TELL=10

child='' beat='' teller=''

# A child that can be waited for and ended: a shell looks at its signals only between its commands. One may come
# between a child's start and its name.
run() {
    child=new
    "$@" &
    child=$!
    ended
}

ended() {
    local code=0
    wait "$child" || code=$?
    child=''
    return "$code"
}

keep_beating() {
    local number=0 nap=''
    trap - EXIT
    trap 'kill "$nap"; exit' TERM
    while :; do
        sleep "$BEAT" &
        nap=$!
        wait "$nap"
        kill -0 $$ 2>/dev/null || exit 0
        number=$((number + 1))
        # Whatever its name was: NFS may say that it failed to do what it did.
        mv "$lock/$owner".* "$lock/$owner.$number" || true
    done
}

take_lock() {
    local said seen='' now same=0 nowhere=0 told=''
    # What is ignored, as SIGHUP under nohup, stays so.
    trap leave EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    until said=$(mkdir "$lock" 2>&1) && said=$(mkdir "$lock/$owner.0" 2>&1); do
        if ! now=$(ls "$lock/" 2>/dev/null); then
            # Gone in this moment; or it cannot be made at all.
            nowhere=$((nowhere + 1))
            [ "$nowhere" -lt 5 ] || fail "$venv has to be made, and its folder takes nothing: $said"
        elif [ "$now" != "$seen" ] || [ "$same" = 0 ]; then
            seen=$now same=1 nowhere=0
            [ -n "$told" ] || [ -z "$now" ] || echo "Waiting for ${now%.*}, which sets up $venv ..." >&2
            told=$now
        elif [ "$same" -ge "$LOOKS" ]; then
            { [ -z "$seen" ] || rmdir "$lock/$seen"; } 2>/dev/null && { rmdir "$lock" 2>/dev/null || true; }
            same=0
            continue
        else
            same=$((same + 1))
        fi
        run sleep "$LOOK"
    done
    beat=new
    keep_beating >/dev/null 2>&1 &
    beat=$!
}

leave() {
    [ "$child" != new ] || child=${!:-}
    [ "$beat" != new ] || beat=${!:-none}
    stop_telling
    [ -z "$child" ] || { kill "$child" && wait "$child"; } 2>/dev/null || true
    [ -z "$beat" ] || {
        { kill "$beat" && wait "$beat"; } 2>/dev/null || true
        rmdir "$lock/$owner".* "$lock" || true
    }
    child='' beat=''
    trap - EXIT HUP INT TERM
}

# -- .venv -----------------------------------------------------------------------------------------------------

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
    fail "no Python from 3.11 up was found; name one: PYTHON=/path/to/python3.11 ./run_avqa_download.sh ..."
}

# A copy of requirements.txt is the last thing that a set-up writes; until then it is empty.
is_set_up() {
    cmp -s "$here/requirements.txt" "$venv/requirements.txt" &&
        "$venv/bin/python" -c 'import yt_dlp, requests, tqdm, filelock, imageio_ffmpeg' 2>/dev/null
}

# Whether there is an environment to go on with. bin/pip is the last that is written of pip.
has_pip() {
    [ -x "$venv/bin/pip" ] &&
        "$venv/bin/python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

make_venv() {
    local python
    set -- -r "$here/requirements.txt"
    if has_pip; then
        # Other runs may be using it: pip leaves what will do. But what it was killed at, it takes for whole.
        [ ! -f "$venv/requirements.txt" ] || [ -s "$venv/requirements.txt" ] || set -- --force-reinstall "$@"
        echo "Bringing $venv up to requirements.txt ..." >&2
    else
        # Where nodes differ, what does not work on this one may be working on another.
        [ -z "${SLURM_JOB_ID:-}" ] || [ ! -s "$venv/requirements.txt" ] ||
            fail "$venv does not run on $(uname -n), but may be in use on other nodes; if not, remove it and try again"
        python=$(find_python) || exit
        "$python" -c 'import venv, ensurepip' 2>/dev/null ||
            fail "$python has no venv module; install it (Debian: apt install python3-venv) or name another: PYTHON=..."
        echo "Setting up $venv with $python (a minute or two) ..." >&2
        run "$python" -m venv --clear "$venv" || fail "$venv could not be made"
    fi
    : >"$venv/requirements.txt"
    install_packages "$@"
    cp "$here/requirements.txt" "$venv/requirements.txt"
    is_set_up || fail "$venv does not work although pip is content with it; remove it and start again"
}

# pip is quiet for a minute or more: a line now and then says that it is at work.
install_packages() {
    local code=0
    "$venv/bin/python" -m pip install --quiet --no-input --disable-pip-version-check "$@" &
    child=$!
    tell_the_time "$child" &
    teller=$!
    ended || code=$?
    stop_telling
    [ "$code" = 0 ] || fail "pip could not install: $*; see above, mend it (proxy? network?) and start again"
}

tell_the_time() {
    local nap='' seconds=0
    trap - EXIT
    trap 'kill "$nap"; exit' TERM
    while kill -0 "$1" 2>/dev/null; do
        sleep "$TELL" &
        nap=$!
        wait "$nap"
        seconds=$((seconds + TELL))
        echo "  pip is at work: $seconds s" >&2
    done
}

stop_telling() {
    [ -z "$teller" ] || { kill "$teller" && wait "$teller"; } 2>/dev/null || true
    teller=''
}

set_up() {
    is_set_up && return
    take_lock
    # Opening a folder makes NFS forget what it remembers not to have found there.
    ls "$venv" "$venv/bin" >/dev/null 2>&1 || true
    is_set_up || make_venv
    leave
}

# The rehearsal signs for its stand-in.
set_up_rehearsal() {
    "$venv/bin/python" -c 'import trustme' 2>/dev/null && return
    take_lock
    install_packages trustme
    leave
}

# Likewise for what curation imports.
set_up_curation() {
    cmp -s "$here/requirements-curate.txt" "$venv/requirements-curate.txt" && return
    take_lock
    install_packages -r "$here/requirements-curate.txt"
    cp "$here/requirements-curate.txt" "$venv/requirements-curate.txt"
    leave
}

# -- what was asked for ----------------------------------------------------------------------------------------

KNOWN='general music audioset vggsound clips acav100m curate rehearse'

# What cannot be meant: the message, and where to read on.
misused() {
    printf 'error: %s\n  see ./run_avqa_download.sh --help\n' "$1" >&2
    exit 2
}

# How many letters have to be written, left out or exchanged to make one word of another.
distance() {
    local one=$1 other=$2 i j diagonal above best
    local -a row
    for ((j = 0; j <= ${#other}; j++)); do row[j]=$j; done
    for ((i = 1; i <= ${#one}; i++)); do
        diagonal=${row[0]} row[0]=$i
        for ((j = 1; j <= ${#other}; j++)); do
            above=${row[j]} best=$diagonal
            [ "${one:i-1:1}" = "${other:j-1:1}" ] || best=$((best + 1))
            [ $((above + 1)) -ge "$best" ] || best=$((above + 1))
            [ $((row[j - 1] + 1)) -ge "$best" ] || best=$((row[j - 1] + 1))
            diagonal=$above row[j]=$best
        done
    done
    echo "${row[${#other}]}"
}

# The word that may have been meant: one that is in it (general_avqa), or that it begins, or else the nearest, where
# no more than two in five of its letters are others; nothing where none may.
nearest() {
    local asked each found='' near=0 far
    asked=$(printf '%s' "${1:0:40}" | tr '[:upper:]' '[:lower:]')
    for each in $KNOWN; do
        case $asked in *"$each"*) echo "$each" && return ;; esac
    done
    for each in $KNOWN; do
        case $each in "$asked"*) [ ${#asked} -lt 3 ] || { echo "$each" && return; } ;; esac
        far=$(distance "$asked" "$each")
        if [ $((5 * far)) -le $((2 * ${#each})) ] && { [ -z "$found" ] || [ "$far" -lt "$near" ]; }; then
            found=$each near=$far
        fi
    done
    echo "$found"
}

unknown() {
    local word near
    word=$(shown "$1")
    near=$(nearest "$1")
    [ -z "$near" ] || misused "unknown dataset '$word': did you mean $near?"
    misused "unknown dataset '$word': one of $KNOWN, or a folder of MUSIC-AVQA as a path, ./$word"
}

# What may be shown again of a word: letters that move no cursor.
shown() {
    printf '%s' "$1" | tr -cd '[:print:]'
}

# A first set-up takes minutes: what cannot be a number is said before. Python says more of one that is out of bounds.
see_number() {
    case $1 in
    --workers)
        [[ $2 =~ ^0*[1-9][0-9]{0,8}$ ]] || misused "WORKERS is '$(shown "$2")': it is a whole number from 1 up, such as 4"
        ;;
    --rate-limit)
        [[ $2 =~ ^[0-9]+(\.[0-9]+)?[KMGkmg]?([iI]?[bB])?$ ]] ||
            misused "RATE is '$(shown "$2")': it is bytes a second, such as 50K or 4.2M, 0 for no limit"
        ;;
    --sleep)
        [[ $2 =~ ^([0-9]+\.?[0-9]*|\.[0-9]+)$ ]] || misused "SLEEP is '$(shown "$2")': it is seconds, such as 3.0, 0 for none"
        ;;
    esac
}

# The same of a file that is not there: addresses, ids, patterns and standard input have no such endings.
see_list() {
    case $1 in
    *://* | *[*?[]*) ;;
    *.csv | *.tsv | *.txt | *.json | *.jsonl | *.ndjson | *.parquet | *.gz | *.zst | *.bz2 | *.xz)
        [ -e "$1" ] || misused "LIST is $(shown "$1"): there is no such file"
        ;;
    esac
}

program=
list=''
list_words=0
case "${1:-}" in
general | music)
    program=download_$1_avqa.py
    ;;
audioset | vggsound)
    program=download_$1.py
    ;;
clips | acav100m)
    program=download_$1.py
    list=yes
    ;;
curate)
    program=curate_acav100m.py
    ;;
rehearse)
    program=tests/standin/rehearse.py
    ;;
-h | --help | help)
    usage
    exit
    ;;
'')
    misused "no dataset is named: one of $KNOWN"
    ;;
-*)
    misused "a dataset comes first, one of $KNOWN, then its folder, and behind them options such as ${1%%=*}"
    ;;
*/* | . | ..)
    # As it was before there was more than one; a word alone is more likely one of the above, mistyped.
    set -- music "$@"
    program=download_music_avqa.py
    ;;
*)
    unknown "$1"
    ;;
esac
word=$1
shift
case "${1:-}" in
-h | --help | help)
    usage
    exit
    ;;
esac

words=()
if [ "$list" ]; then
    case "${1:-}" in
    '' | -*)
        misused "no list is named: ./run_avqa_download.sh $word LIST DATA_DIR"
        ;;
    esac
    words=("$1")
    list_words=1
    shift
fi

if [ "$word" = curate ]; then
    [ $# -gt 0 ] || misused "no stage is named: ./run_avqa_download.sh curate run METADATA --data-dir DIR"
elif [ "$word" != rehearse ]; then
    # Options come after the folder: where its place is taken by one, what follows would be read as another's.
    case "${1:-}" in
    '' | -*)
        misused "no folder is named: ./run_avqa_download.sh $word ${list:+LIST }DATA_DIR"
        ;;
    *[!0-9.]*) ;;
    *[0-9]*)
        misused "'$1' is a number where the folder is expected: ./run_avqa_download.sh $word ${list:+LIST }DATA_DIR \
[WORKERS [RATE [SLEEP]]]; a folder of that name is ./$1"
        ;;
    esac
    words+=(--data-dir "$1")
    shift
    for option in --workers --rate-limit --sleep; do
        if [ $# -eq 0 ] || [ "${1#-}" != "$1" ]; then
            break
        fi
        see_number "$option" "$1"
        words+=("$option" "$1")
        shift
    done
    [ $# -eq 0 ] || [ "${1#-}" != "$1" ] || [ ${#words[@]} -lt "$((list_words + 8))" ] ||
        misused "there is no place for '$(shown "$1")': behind WORKERS, RATE and SLEEP come options"
    [ "$list_words" = 0 ] || see_list "${words[0]}"
    set -- "${words[@]}" "$@"
fi

here=''
find_here
venv=$here/.venv
lock=$here/.venv.lock
owner=$(uname -n).$$

set_up
[ "$word" != rehearse ] || set_up_rehearsal
[ "$word" != curate ] || set_up_curation
exec "$venv/bin/python" -u "$here/$program" "$@"
