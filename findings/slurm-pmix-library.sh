#!/usr/bin/env bash
# Slurm 22.05.8-4+deb12u3 (Debian 12) beside Open MPI 4.1.4-3+b1 and libpmix2 4.2.2-1+deb12u1: srun --mpi=pmix.
#
# Expected: Open MPI's programs start under it. Slurm's plugin for PMIx is installed with slurmd, PMIx with Open MPI, and
# srun --mpi=list names pmix, with the version pmix_v4.
# Seen: "Invalid MPI type 'pmix', --mpi=list for acceptable types", exit code 1, since the plugin looks for a file
# libpmix.so, and libpmix2 has libpmix.so.2: the name without a version is a link of libpmix-dev, that compilers need. With
# that installed and slurmd started again it works; in between, srun finds the plugin and slurmd doesn't, and the job
# step fails after half a minute with "Socket timed out on send/recv operation" and nothing about PMIx.
#
# Exit code 0: still so. Needs root, overlay file systems, Debian 12's packages (apt-get update). Everything happens in an
# overlay in a temporary folder and in a process table of its own, and ends with them.
set -euo pipefail
if [[ ${1:-} != inside ]]; then
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    timeout -k 5 280 unshare -m -p -f --kill-child "$0" inside "$dir"
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
install slurmctld=$slurm slurmd=$slurm slurm-client=$slurm slurm-wlm-basic-plugins=$slurm munge=0.5.15-2+deb12u1 \
    openmpi-bin=4.1.4-3+b1 libpmix2=4.2.2-1+deb12u1
dd if=/dev/urandom of=key bs=1024 count=1 2>/dev/null
chmod 600 key
mkdir state spool
munged --force --key-file=/tmp/key --socket=/tmp/munge --pid-file=/tmp/munge.pid --log-file=/tmp/munge.log --seed-file=/tmp/munge.seed 2>/dev/null
cat >slurm.conf <<CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
AuthInfo=socket=/tmp/munge
SlurmUser=root
SlurmctldPort=26927
SlurmdPort=26928
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
step() { timeout 90 srun --mpi=pmix -n 2 printenv PMIX_RANK >ranks 2>said && status=0 || status=$?; }

srun --mpi=list 2>&1 | grep -q pmix_v4
step
echo "libpmix2 alone: exit code $status, $(grep Invalid said)"
[[ $status == 1 ]] && grep -q "can not load PMIx library" said && grep -q "Invalid MPI type 'pmix', --mpi=list" said
[[ -e /usr/lib/x86_64-linux-gnu/libpmix.so.2 && ! -e /usr/lib/x86_64-linux-gnu/libpmix.so ]]

install libpmix-dev=4.2.2-1+deb12u1
step
echo "with libpmix-dev: exit code $status, $(grep -m 1 launch said)"
[[ $status != 0 ]] && grep -q "Socket timed out" said && ! grep -qi pmix said

kill "$(cat slurmd.pid)"
for ((i = 0; i < 50; i++)); do [[ -e slurmd.pid ]] || break; sleep 0.2; done
slurmd
for ((i = 0; i < 20; i++)); do # until what is left of the step before is gone
    step
    [[ $status != 0 ]] || break
    sleep 2
done
echo "and slurmd started again: exit code $status, ranks $(sort ranks | xargs)"
[[ $status == 0 && $(sort ranks | xargs) == "0 1" ]]
INSIDE
chroot "$m" bash /tmp/inside
