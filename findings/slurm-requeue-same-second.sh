#!/usr/bin/env bash
# Slurm 22.05.8-4+deb12u3 (Debian 12): a requeued job that doesn't wait its two minutes.
#
# Expected: scontrol requeue JOB, then scontrol update JobId=JOB StartTime=now, starts the job again at once.
# Seen: if it is started in the second in which it was requeued, slurmd takes it for the job whose credential was revoked in that
# second, and the job ends without having run: FAILED, exit code 1, nothing in its output, "Killing non-startable batch
# job: Job credential revoked" in slurmctld's log. Two seconds later it starts. Here it was so in 5 of 6 tries
# when the requeue came at the beginning of a second; in the sixth the start came in the next one.
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
SlurmctldPort=26947
SlurmdPort=26948
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
field() { scontrol show job -o "$1" | sed -nE "s/.* $2=([^ ]*).*/\1/p"; }

# requeued PAUSE: the state and exit code of a job that is requeued at the beginning of a second and sent on after a pause.
requeued() {
    local job
    job=$(sbatch --parsable --requeue --output /dev/null --wrap 'sleep 60')
    for ((i = 0; i < 100; i++)); do [[ $(field "$job" JobState) != RUNNING ]] || break; sleep 0.2; done
    sleep 1
    sleep "0.$(printf %09d $((1999999999 - 1$(date +%N))))"
    scontrol requeue "$job"
    for ((i = 0; i < 50; i++)); do [[ $(field "$job" Reason) != BeginTime ]] || break; sleep 0.02; done
    sleep "$1"
    scontrol update JobId="$job" StartTime=now
    sleep 3
    echo "$(field "$job" JobState) $(field "$job" ExitCode)"
    scancel "$job"
}
later=$(requeued 2)
for try in {1..8}; do
    now=$(requeued 0)
    echo "at once: $now; after two seconds: $later"
    [[ $now == RUNNING* ]] || break
done
[[ $later == "RUNNING 0:0" && $now == "FAILED 1:0" ]] && grep "Job credential revoked" slurmctld.log | tail -n 1
INSIDE
chroot "$m" bash /tmp/inside
