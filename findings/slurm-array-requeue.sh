#!/usr/bin/env bash
# Slurm 22.05.8-4+deb12u3 (Debian 12): a task of a job array that asks to be requeued.
#
# Expected: scontrol requeue $SLURM_JOB_ID in a batch script is about the job that the script belongs to. Each task of an array
# has a SLURM_JOB_ID of its own, which squeue and scontrol show job take.
# Seen: one task's, here the last one's, is the number of the whole array. When that one asks, tasks that had finished long
# ago are queued again, too, and run once more; of the others each is requeued alone. (A job array's number stands for all
# of its tasks in scontrol's commands: so it is documented; that a task has it is easily overlooked, for two of
# three tasks do what was meant.) Right for all is ${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID.
#
# Exit code 0: still so. Needs root, overlay file systems, Debian 12's packages (apt-get update). Everything happens in an
# overlay in a temporary folder and in a process table of its own, and ends with them.
set -euo pipefail
if [[ ${1:-} != inside ]]; then
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    timeout -k 5 180 unshare -m -p -f --kill-child "$0" inside "$dir"
    exit
fi
dir=$2 m=$2/m
mount --make-rprivate /
mount -t tmpfs tmpfs "$dir"
mkdir "$dir"/{u,w,m}
mount -t overlay overlay -o "lowerdir=/,upperdir=$dir/u,workdir=$dir/w" "$m"
mount -t proc proc "$m/proc"
mount --rbind /sys "$m/sys"
mount --bind /dev "$m/dev"
mount -t tmpfs tmpfs "$m/tmp"
mount -t tmpfs tmpfs "$m/run"
for file in /etc/resolv.conf /etc/hosts; do cp --remove-destination "$file" "$m$file"; done
printf '#!/bin/sh\nexit 101\n' >"$m/usr/sbin/policy-rc.d" # no package starts anything
chmod +x "$m/usr/sbin/policy-rc.d"
cat >"$m/tmp/inside" <<'INSIDE'
set -euo pipefail
cd /tmp
export DEBIAN_FRONTEND=noninteractive SLURM_CONF=/tmp/slurm.conf
host=$(hostname -s)
install() { apt-get install -y --no-install-recommends "$@" >apt.log 2>&1 || { tail -n 5 apt.log; exit 1; }; }
slurm=22.05.8-4+deb12u3
install slurmctld=$slurm slurmd=$slurm slurm-client=$slurm slurm-wlm-basic-plugins=$slurm munge=0.5.15-2+deb12u1
dd if=/dev/urandom of=key bs=1024 count=1 2>/dev/null
chmod 600 key
mkdir state spool
munged --force --key-file=/tmp/key --socket=/tmp/munge --pid-file=/tmp/munge.pid --log-file=/tmp/munge.log --seed-file=/tmp/munge.seed 2>/dev/null
cat >slurm.conf <<CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
AuthInfo=socket=/tmp/munge
SlurmUser=root
SlurmctldPort=26937
SlurmdPort=26938
StateSaveLocation=/tmp/state
SlurmdSpoolDir=/tmp/spool
SlurmctldPidFile=/tmp/slurmctld.pid
SlurmdPidFile=/tmp/slurmd.pid
SlurmctldLogFile=/tmp/slurmctld.log
SlurmdLogFile=/tmp/slurmd.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=1,sched_interval=2
MailProg=/bin/true
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 RealMemory=1000 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES
CONF
idle() { for ((i = 0; i < 150; i++)); do ! sinfo -h -o %T 2>/dev/null | grep -q "idle$" || return 0; sleep 0.2; done; tail slurmctld.log; exit 1; }
slurmctld -c
slurmd
idle
cat >asks <<'JOB'
#!/bin/bash
#SBATCH --array=1-3 --requeue --output=/dev/null
[[ $SLURM_ARRAY_TASK_ID == "$WHO" && ! -e asked ]] || exit 0 # the others finish at once
sleep 6
touch asked
scontrol requeue "$SLURM_JOB_ID"
sleep 60
JOB

# restarts WHO: how often each task was requeued when task WHO asked.
restarts() {
    local array
    rm -f asked
    array=$(WHO=$1 sbatch --parsable asks)
    for ((i = 0; i < 200; i++)); do [[ ! -e asked ]] || break; sleep 0.2; done
    sleep 5
    for task in 1 2 3; do scontrol show job -o "${array}_$task" | sed -E 's/.* JobState=([^ ]*).* Restarts=([^ ]*).*/\1 \2/'; done | xargs
    scancel "$array"
}
first=$(restarts 1) last=$(restarts 3)
echo "task 1 asks: $first"
echo "task 3 asks: $last"
[[ $first == "PENDING 1 COMPLETED 0 COMPLETED 0" && $last == "PENDING 1 PENDING 1 PENDING 1" ]]
INSIDE
chroot "$m" bash /tmp/inside
