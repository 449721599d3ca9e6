#!/bin/bash
# A run as an array: each task is one job of it, 0 the untrained model's evaluation, the others a trial each, on a node
# of its own, where backend `verl` starts a Ray of its own. Whoever ends last writes the report. In the shared folder in
# which runs/ is to lie:
#
#     jobs=$(rence plan EXPERIMENT.yaml --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["jobs"]))')
#     EXPERIMENT=EXPERIMENT.yaml sbatch --array="0-$((jobs - 1))%8" slurm_array.sh     # 8 at once, at most
#
# Before its time limit, or when SLURM takes its node for others, a trial saves, and is queued again and goes on.
#SBATCH --job-name=rence
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=32           # 1 for backend `local`
#SBATCH --gpus-per-node=8            # as many as a trial takes (verl.gpus_per_trial); leave out for backend `local`
#SBATCH --time=24:00:00
#SBATCH --output=slurm-%A_%a.log
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@600          # seconds before the end; more than a step of training takes, with its saving

set -euo pipefail
experiment=${EXPERIMENT:-EXPERIMENT.yaml}

cd "$SLURM_SUBMIT_DIR"
# shellcheck source=/dev/null
source .venv/bin/activate

rence run "$experiment" --job "$SLURM_ARRAY_TASK_ID" &
rence=$!
leaving=
trap 'leaving=yes; kill -USR1 "$rence"' USR1
trap 'kill -TERM "$rence"' TERM      # scancel, or a pre-emption, after which SLURM itself queues the job again
while :; do                          # a signal ends `wait` before `rence` has ended
    code=0
    wait "$rence" || code=$?
    kill -0 "$rence" 2>/dev/null || break
done
if [ -n "$leaving" ] && [ "$code" -eq 130 ]; then
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
fi
exit "$code"
