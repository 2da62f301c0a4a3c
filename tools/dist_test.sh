#!/usr/bin/env bash
# Measure on several GPUs (or CPU processes): bash tools/dist_test.sh CONFIG CHECKPOINT NUM [flags of tools/test.py]
set -euo pipefail
[ $# -ge 3 ] || { echo "usage: bash $0 CONFIG CHECKPOINT NUM [flags of tools/test.py]" >&2; exit 2; }
config=$1 checkpoint=$2 num=$3
shift 3
exec "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" --nproc_per_node="$num" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
    "$(dirname "$0")/test.py" "$config" "$checkpoint" --launcher pytorch "$@"
