#!/usr/bin/env bash
# Train through Slurm's srun:
#   [GPUS=4] [GPUS_PER_NODE=4] [CPUS_PER_TASK=4] [SRUN_ARGS=...] \
#     tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [options of tools/train.py]
set -euo pipefail
usage='usage: tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [options]'
partition=${1:?$usage} job_name=${2:?$usage} config=${3:?$usage} work_dir=${4:?$usage}
gpus=${GPUS:-1}
per_node=${GPUS_PER_NODE:-$gpus}
# SRUN_ARGS holds several words on purpose.
# shellcheck disable=SC2086
exec srun --partition="$partition" --job-name="$job_name" --gres=gpu:"$per_node" \
    --ntasks="$gpus" --ntasks-per-node="$per_node" --cpus-per-task="${CPUS_PER_TASK:-4}" \
    --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
    python -u "$(dirname "$0")/train.py" "$config" --work-dir "$work_dir" --launcher slurm "${@:5}"
