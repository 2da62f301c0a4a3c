#!/usr/bin/env bash
# From nothing to a trained, measured model: environment, faces, training, the dlib baseline, table and pictures.
#
#   bash tools/quickstart.sh                on drawn sample faces; a few minutes on 2 CPU cores after the downloads
#   bash tools/quickstart.sh --data DIR     the same on your own 300W folder (afw, helen, lfpw, ... with .pts files)
#
# What is there already is kept: run again, it prints the table at once. --summary FILE notes the seconds that a
# whole run took, without the environment's downloads.
set -euo pipefail

fail() {
    echo "error: $*" >&2
    exit 2
}

source='' summary=''
while [ $# -gt 0 ]; do
    case $1 in
        --data) [ -d "${2-}" ] || fail "--data ${2-}: no such folder" && source=$(realpath "$2") && shift 2 ;;
        --summary) [ -n "${2-}" ] || fail '--summary needs a file' && summary=$(realpath "$2") && shift 2 ;;
        -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit ;;
        *) fail "$1: not known; see bash $0 --help" ;;
    esac
done
cd "$(dirname "${BASH_SOURCE[0]}")/.."

config=configs/yinnet/yinnet_128_sample.py
if [ -n "$source" ]; then
    name=$(basename "$source" | tr -c 'A-Za-z0-9\n' _)_$(echo "$source" | cksum | cut -d' ' -f1) steps=6
else
    name=sample source=data/sample/300w steps=7
fi
export FACEALIGN_DATA=data/quickstart/$name
work=work_dirs/quickstart_$name
log=$work/quickstart.log
{ mkdir -p "$work" && : >"$log"; } || fail "$work cannot be written; check your permissions"

number=0 whole_run=yes
headline() {
    number=$((number + 1))
    echo "[$number/$steps $((SECONDS / 60)):$(printf %02d $((SECONDS % 60)))] $1"
}

# step FILE WHAT COMMAND...: runs the command unless FILE is there, which marks that it has ended well before.
step() {
    local start=$SECONDS last
    headline "$2"
    if [ -e "$1" ]; then
        echo '      there already'
        whole_run=no
        return
    fi
    echo "+ ${*:3}" >>"$log"
    # Of all that the commands say, only the validations of a training are shown.
    if ! "${@:3}" 2>&1 | tee -a "$log" | sed -un \
        's/.*Epoch(val) \[\([0-9]*\)\].*  auc@0.08: \([0-9.]*\) .*/      epoch \1: AUC@0.08 \2 on the validation faces/p'; then
        last=$({ grep '^error:' "$log" || tail -n 1 "$log"; } | tail -n 1)
        fail "${last#error: } (all of it: $log)"
    fi
    touch "$1"
    echo "      done in $((SECONDS - start)) s"
}

headline 'making the environment (.venv)'
bash tools/setup_env.sh
export PATH=$PWD/.venv/bin:$PATH PYTHONPATH=$PWD/projects
installed=$SECONDS

# Mixed precision where the processor has instructions for it.
amp=()
if grep -qE 'amx_bf16|avx512_bf16' /proc/cpuinfo; then
    amp=(--amp)
fi

if [ "$name" = sample ]; then
    step data/sample/drawn 'drawing 600 faces, as 300W (68 points) and as Datatang (106 points): data/sample' \
        python tools/draw_sample_data.py --out data/sample
fi
step "$FACEALIGN_DATA/300w/summary.json" "converting $source: $FACEALIGN_DATA/300w" \
    python tools/convert_dataset.py 300w "$source" --out "$FACEALIGN_DATA/300w" --crop
step "$work/trained" "training YinNet: $work" \
    python tools/train.py $config --work-dir "$work" --resume "${amp[@]}"
step "$FACEALIGN_DATA/300w/dlib_ert.json" "training dlib's regression trees, few and small ones" \
    python tools/train_dlib.py $config --ann-file train.json --boxes landmarks --cascade-depth 6 --trees 100
step "$work/tested" 'measuring both, and the mean shape, on the test faces' \
    python tools/test.py $config "$(find "$work" -maxdepth 1 -name 'best_*.pth' | head -n 1)" \
    --work-dir "$work" --show-dir "$work/predictions"
seconds=$((SECONDS - installed))

headline 'results'
python tools/compare.py "$work"
echo "table:        $work/results.json (face by face: per_face.csv)"
echo "CED picture:  $work/ced.png"
echo "predictions:  $work/predictions"
if [ -n "$summary" ] && [ $whole_run = yes ]; then
    python -c 'import sys; from facealign.evaluation.summary_file import update_summary
update_summary(sys.argv[1], {"quickstart.seconds": float(sys.argv[2])})' "$summary" $seconds
elif [ -n "$summary" ]; then
    fail "--summary: not a whole run; remove $work, $FACEALIGN_DATA and data/sample, and run again"
fi
# The mean shape is as good as one gets without looking at the pictures.
python - "$work/results.json" "$name" <<'END'
import json
import sys

rows = {row['name']: list(row['subsets'].values())[-1] for row in json.load(open(sys.argv[1]))['rows']}
yinnet, mean = (rows[name]['normalisers']['landmark_bbox']['mean']['value'] for name in ('YinNet', 'mean shape'))
print(f"YinNet's error is {yinnet / mean:.0%} of the mean shape's (NME by the landmark rectangle)")
if sys.argv[2] == 'sample' and yinnet > mean / 2:
    sys.exit('error: on the sample faces at most 50% is expected; something in the pipeline is broken')
END
