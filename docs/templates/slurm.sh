#!/bin/bash
# One run over the nodes of one allocation: they become a Ray cluster, which ends with it. `sbatch slurm.sh`, in the
# shared folder in which runs/ is to lie. Before the time limit, or when SLURM takes the nodes for others, the trials
# save, and the job is queued again and goes on.
#SBATCH --job-name=rence
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1          # one Ray a node; Ray divides its cores and GPUs
#SBATCH --cpus-per-task=32
#SBATCH --gpus-per-node=8            # leave out for backend `local`
#SBATCH --exclusive                  # the ports below are ours alone
#SBATCH --time=24:00:00
#SBATCH --output=slurm-%j.log
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@600          # seconds before the end; more than a step of training takes, with its saving

set -euo pipefail
experiment=${EXPERIMENT:-EXPERIMENT.yaml}
port=${RAY_PORT:-6379} dashboard=${RAY_DASHBOARD_PORT:-8265}

cd "$SLURM_SUBMIT_DIR"
# shellcheck source=/dev/null
source .venv/bin/activate

export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK     # srun has not taken this from sbatch since SLURM 22.05
export RAY_AUTH_MODE=token
RAY_AUTH_TOKEN=$(python -c 'import secrets; print(secrets.token_hex(32))')
export RAY_AUTH_TOKEN

# Ray only counts CPUs. Each trial of verl takes three with each GPU and four more: 28 with 8 GPUs, 56 if 8 trials have
# one each, whatever cores there are. So Ray is told the cores, or the most that GPUs could want, whichever is more.
wanted=$((${SLURM_GPUS_ON_NODE:-0} * 7 + 1))
cpus=$((wanted > SLURM_CPUS_PER_TASK ? wanted : SLURM_CPUS_PER_TASK))

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)     # this script runs there
ip=$(srun --nodes=1 --ntasks=1 --nodelist="$head" hostname --ip-address | awk '{print $1}')

wait_for_nodes() {                   # until so many are in the cluster; 5 minutes at most
    for _ in $(seq 60); do
        up=$(ray list nodes --address="http://127.0.0.1:$dashboard" --filter "state=ALIVE" --format json 2>/dev/null |
            grep -o '"node_id"' | wc -l) || true
        if [ "$up" -ge "$1" ]; then return; fi
        sleep 5
    done
    echo "Ray has $up of $1 nodes" >&2
    exit 1
}

srun --nodes=1 --ntasks=1 --nodelist="$head" ray start --head --node-ip-address="$ip" --port="$port" \
    --dashboard-port="$dashboard" --num-cpus="$cpus" --block &
wait_for_nodes 1

others=$((SLURM_JOB_NUM_NODES - 1))
if [ "$others" -gt 0 ]; then
    srun --nodes="$others" --ntasks="$others" --exclude="$head" \
        ray start --address="$ip:$port" --num-cpus="$cpus" --block &
fi
wait_for_nodes "$SLURM_JOB_NUM_NODES"

RAY_ADDRESS=http://127.0.0.1:$dashboard rence run "$experiment" --launcher ray &
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
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
