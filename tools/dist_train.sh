#!/usr/bin/env bash
# Train on several GPUs (or CPU processes): bash tools/dist_train.sh CONFIG NUM [flags of tools/train.py]
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: bash $0 CONFIG NUM [flags of tools/train.py]" >&2; exit 2; }
config=$1 num=$2
shift 2
exec "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" --nproc_per_node="$num" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
    "$(dirname "$0")/train.py" "$config" --launcher pytorch "$@"
