#!/usr/bin/env bash
# Runs cluster/slurm's scripts under a real Slurm on this machine: Debian's, installed into an overlay in a temporary
# folder and started there in a process table of its own, with which all of it ends. Nothing stays on the machine.
#
#   scripts/slurm.sh [CASE…]       default: every case that can be had; they are the functions named case_… below
#   scripts/slurm.sh --why-not     exit code 1, and the reason, if nothing can be run here
#
# Needs root, apt, overlay file systems, bin/jem; for ranks bin/jem-mpi.
set -euo pipefail
cd "$(dirname "$0")/.."
limit=900 # seconds, for everything

why_not() {
    local tool
    [[ $(uname -s) == Linux ]] || { echo "it is for Linux"; return 1; }
    ((EUID == 0)) || { echo "it needs root, to install and start Slurm"; return 1; }
    for tool in apt-get unshare chroot timeout; do
        command -v $tool >/dev/null || { echo "no $tool"; return 1; }
    done
    apt-cache show slurmctld >/dev/null 2>&1 || apt-get update >/dev/null 2>&1 || true # a new machine has no lists
    apt-cache show slurmctld >/dev/null 2>&1 || { echo "apt knows no slurmctld"; return 1; }
    unshare -m -p -f bash -c 'd=$(mktemp -d) && mount --make-rprivate / && mount -t tmpfs tmpfs "$d" && mkdir "$d"/{u,w,m} &&
        mount -t overlay overlay -o "lowerdir=/,upperdir=$d/u,workdir=$d/w" "$d/m"; status=$?; umount -R "$d"; rmdir "$d"; exit $status' >/dev/null 2>&1 ||
        { echo "no overlay file system can be mounted"; return 1; }
}

# outside CASE…: makes the overlay, puts what is tested into it, and goes on inside.
outside() {
    local status=0
    root=$(mktemp -d)
    trap 'rm -rf "$root"' EXIT
    timeout --kill-after 10 $limit unshare -m -p -f --kill-child "$0" --overlay "$root" "$@" || status=$?
    case $status in 124 | 137) echo "stopped after $limit s" ;; esac
    return $status
}

overlay() {
    local root=$1 m=$1/m
    shift
    mount --make-rprivate /
    mkdir "$root"/{d,m}
    mount -t tmpfs tmpfs "$root/d"
    mkdir "$root"/d/{u,w}
    mount -t overlay overlay -o "lowerdir=/,upperdir=$root/d/u,workdir=$root/d/w" "$m"
    mount -t proc proc "$m/proc"
    mount --rbind /sys "$m/sys"
    mount --bind /dev "$m/dev"
    mount -t tmpfs tmpfs "$m/tmp"
    mount -t tmpfs tmpfs "$m/run"
    for file in /etc/resolv.conf /etc/hosts; do # often mounts of their own, which an overlay doesn't have
        cp --remove-destination "$file" "$m$file"
    done
    printf '#!/bin/sh\nexit 101\n' >"$m/usr/sbin/policy-rc.d" # no package starts anything
    chmod +x "$m/usr/sbin/policy-rc.d"
    mkdir -p "$m/tmp/work/bin"
    cp -r cluster scripts/slurm.sh "$m/tmp/work"
    cp bin/jem "$m/tmp/work/bin"
    [[ ! -x bin/jem-mpi ]] || cp bin/jem-mpi "$m/tmp/work/bin"
    exec chroot "$m" env -i PATH="$PATH" LC_ALL=C.UTF-8 HOME=/tmp/work TMPDIR=/tmp bash /tmp/work/slurm.sh --inside "$@"
}

# --- inside ---

slurm_start() {
    local host node packages=(slurmctld slurmd slurm-client munge procps)
    host=$(hostname -s)
    [[ ! -x bin/jem-mpi ]] || packages+=(openmpi-bin libpmix-dev) # -dev: findings/slurm-pmix-library.sh
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}" >apt.log 2>&1 || { tail -n 5 apt.log; exit 1; }
    mkdir state spool-one spool-two spool-three
    dd if=/dev/urandom of=key bs=1024 count=1 2>/dev/null
    chmod 600 key
    munged --force --key-file=$PWD/key --socket=$PWD/munge --pid-file=$PWD/munge.pid --log-file=$PWD/munge.log --seed-file=$PWD/munge.seed 2>/dev/null
    export SLURM_CONF=$PWD/slurm.conf
    cat >"$SLURM_CONF" <<C
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
AuthInfo=socket=$PWD/munge
SlurmUser=root
SlurmctldPort=26917
StateSaveLocation=$PWD/state
SlurmdSpoolDir=$PWD/spool-%n
SlurmctldPidFile=$PWD/slurmctld.pid
SlurmdPidFile=$PWD/slurmd-%n.pid
SlurmctldLogFile=$PWD/slurmctld.log
SlurmdLogFile=$PWD/slurmd-%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
KillWait=5
MinJobAge=3600
SchedulerParameters=batch_sched_delay=1,sched_interval=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
MailProg=/bin/true
NodeName=one NodeHostname=$host NodeAddr=127.0.0.1 Port=26918 CPUs=16 RealMemory=1000 State=UNKNOWN
NodeName=two NodeHostname=$host NodeAddr=127.0.0.1 Port=26919 CPUs=16 RealMemory=1000 State=UNKNOWN
NodeName=three NodeHostname=$host NodeAddr=127.0.0.1 Port=26920 CPUs=16 RealMemory=1000 State=UNKNOWN
PartitionName=normal Nodes=one Default=YES PreemptMode=OFF
PartitionName=low Nodes=two,three PriorityTier=1 GraceTime=60
PartitionName=high Nodes=two,three PriorityTier=10 PreemptMode=OFF
C
    slurmctld -c
    for node in one two three; do slurmd -N $node; done
    wait_for 60 "the nodes are idle" nodes_idle
    echo "$(slurmd -V), munge $(dpkg-query -W -f '${Version}' munge), $(nproc) cores"
}

nodes_idle() { [[ $(sinfo -h -N -o '%N %T' 2>/dev/null | grep -c idle) -ge 3 ]]; }

die() { # MESSAGE [LOG…]: says it, with the ends of logs, and ends all
    echo "FAILED: $1"
    shift
    for log in "$@"; do
        echo "--- $log"
        tail -n 25 "$log"
    done
    squeue -o '%i %j %T %r' || true
    exit 1
}

# wait_for SECONDS WHAT COMMAND…: until the command succeeds.
wait_for() {
    local seconds=$1 what=$2 i
    shift 2
    for ((i = 0; i < seconds; i++)); do
        if "$@"; then return; fi
        sleep 1
    done
    die "waited $seconds s till $what" $(ls *.log)
}

submit() { # NAME ARGUMENT OF sbatch…: prints the job's number
    local name=$1
    shift
    sbatch --parsable --job-name "$name" --output "$name.log" "$@"
}

field() { scontrol show job -o "$1" | sed -nE "s/.*[ ]?\b$2=([^ ]*).*/\1/p;q"; }

# ended JOB: whether it is over. A job that waits its two minutes after a requeue is sent on, but not within that second:
# Slurm 22.05 would then start it with a credential that it takes for the revoked one, and end it ("Job credential revoked").
ended() {
    case $(field "$1" JobState) in
    COMPLETED | FAILED | CANCELLED | TIMEOUT | NODE_FAIL | BOOT_FAIL) return 0 ;;
    PENDING) [[ $(field "$1" Reason) != BeginTime ]] || { sleep 2; scontrol update JobId="$1" StartTime=now 2>/dev/null || true; } ;;
    esac
    return 1
}

# expect NAME JOB STATE RESTARTS: how the job ends, and how often it came back: a number, or "some".
expect() {
    local name=$1 job=$2 state=$3 restarts=$4 got
    wait_for 240 "job $name ends" ended "$job"
    got=$(field "$job" Restarts)
    [[ $(field "$job" JobState) == "$state" ]] || die "$name: $(field "$job" JobState) ($(field "$job" ExitCode)), not $state" "$name.log"
    [[ $got == "$restarts" || $restarts == some && $got -ge 1 ]] || die "$name: restarts $got, not $restarts" "$name.log"
    echo "ok: $name: $state, exit code $(field "$job" ExitCode), restarts $got"
    grep -hE '^jem(.sbatch)?: ' "$name.log" | sed 's/^/    /'
}

# under_way NAME: waits until a job has taken a few steps. It has to be quick, for on a fast machine the run lasts seconds.
under_way() {
    local line
    while read -r line; do
        case $line in
        *'"msg":"step"'*) return ;;
        jem.sbatch*'exit code'*) break ;;
        esac
    done < <(timeout 120 tail -s 0.1 -n +1 -F "$1.log" 2>/dev/null)
    die "$1 took no steps" "$1.log"
}

processes() { pgrep -f -- "^[^ ]*/jem(-mpi)? train --out runs/$1 "; } # of a run's tasks

# hold RUN: stops a run's processes till Slurm lets them go on, as it does before it signals: however fast the machine, the signal
# comes in the middle of the run.
hold() { kill -STOP $(processes "$1") || die "$1 was over too early" "$1.log"; }

short=(--preset shapes-demo --conv-algo direct --threads 1 --steps 300 --batch 8 --sgld-steps 2 --set train.log_every=5 --set train.eval_every=150
    --set train.sample_every=300 --set train.save_every=75 --set train.test_limit=40)

long=("${short[@]}" --set sampler.steps=12) # two ranks would be over too soon

# A run that nothing happens to, which others are compared with.
case_undisturbed() {
    local job
    job=$(submit undisturbed jem.sbatch runs/undisturbed "${short[@]}")
    expect undisturbed "$job" COMPLETED 0
}

# A time limit, and the signal before it.
case_limit() {
    local job
    job=$(submit limit --time 2 --signal USR1@110 jem.sbatch runs/limit "${short[@]}")
    under_way limit
    hold limit
    expect limit "$job" COMPLETED some
    saved limit
    same_as undisturbed limit
}

# The process is killed.
case_kill() {
    local job
    job=$(submit kill jem.sbatch runs/kill "${short[@]}")
    under_way kill
    kill -KILL $(processes kill)
    expect kill "$job" COMPLETED 1
    grep -q 'exit code 137.*asks to come back' kill.log || die "no exit code 137" kill.log
    same_as undisturbed kill
}

# A job of a partition with priority wants the node.
case_preempt() {
    local job
    job=$(submit preempt --partition low --nodelist two jem.sbatch runs/preempt "${short[@]}")
    under_way preempt
    hold preempt
    submit urgent --partition high --nodelist two --exclusive --wrap 'sleep 2' >/dev/null
    expect preempt "$job" COMPLETED 1
    saved preempt
    same_as undisturbed preempt
}

# Two ranks that nothing happens to.
case_ranks() {
    local job
    job=$(submit ranks --ntasks 2 jem.sbatch runs/ranks "${long[@]}")
    expect ranks "$job" COMPLETED 0
}

# Two ranks are preempted.
case_ranks_preempt() {
    local job
    job=$(submit ranks_preempt --ntasks 2 --partition low --nodelist three jem.sbatch runs/ranks_preempt "${long[@]}")
    under_way ranks_preempt
    hold ranks_preempt
    submit ranks_urgent --partition high --nodelist three --exclusive --wrap 'sleep 2' >/dev/null
    expect ranks_preempt "$job" COMPLETED 1
    saved ranks_preempt
    same_as ranks ranks_preempt
}

# One of two ranks is killed.
case_ranks_kill() {
    local job
    job=$(submit ranks_kill --ntasks 2 jem.sbatch runs/ranks_kill "${long[@]}")
    under_way ranks_kill
    kill -KILL "$(processes ranks_kill | tail -n 1)"
    expect ranks_kill "$job" COMPLETED 1
    same_as ranks ranks_kill
}

# What only a person can cure doesn't come back.
case_setting() {
    local job
    job=$(submit setting jem.sbatch runs/setting "${short[@]}" --set sampler.noise=-1)
    expect setting "$job" FAILED 0
    [[ $(field "$job" ExitCode) == 78:0 ]] || die "not exit code 78" setting.log
}

# A user who cancels is obeyed.
case_cancel() {
    local job
    job=$(submit cancel jem.sbatch runs/cancel "${short[@]}")
    under_way cancel
    scancel "$job"
    expect cancel "$job" CANCELLED 0
    sleep 3
    expect cancel "$job" CANCELLED 0 >/dev/null
}

# Seeds side by side; the task whose number is the whole array's is killed, and it alone comes back.
case_seeds() {
    local array task id master
    array=$(sbatch --parsable --array 1-3 --output seeds-%a.log seeds.sbatch runs/seeds "${short[@]}")
    under_way seeds-3
    for task in 1 2 3; do
        id=$(field "${array}_$task" JobId)
        [[ $id != "$array" ]] || master=$task
    done
    kill -KILL $(processes "seeds/seed-$master")
    for task in 1 2 3; do
        expect "seeds-$task" "${array}_$task" COMPLETED $((task == master))
    done
    same_as undisturbed seeds/seed-1
    ! cmp -s runs/seeds/seed-{1,2}/checkpoints/step-00000300/MANIFEST.json || die "seeds 1 and 2 are the same"
}

# exits NAME WHAT: a program in jem's place that only exits.
exits() {
    printf '#!/bin/sh\nexit %s\n' "$2" >"$1"
    chmod +x "$1"
}

# The script's answer to each exit code. The program exits with it the first time, and with 0 when it came back.
case_codes() {
    local code
    local -A job
    for code in 0 1 2 65 70 73 74 76 78 69 75 137; do
        exits exits-$code "\$((\${SLURM_RESTART_COUNT:-0} ? 0 : $code))"
        job[$code]=$(submit code-$code --export ALL,JEM=$PWD/exits-$code jem.sbatch runs/code-$code)
    done
    expect code-0 "${job[0]}" COMPLETED 0
    for code in 1 2 65 70 73 74 76 78; do
        expect code-$code "${job[$code]}" FAILED 0
    done
    for code in 69 75 137; do
        expect code-$code "${job[$code]}" COMPLETED 1
    done
}

# A device that is lost whenever the job begins, and the bound on all restarts.
case_hopeless() {
    local lost few
    exits loses 69
    lost=$(submit lost --export ALL,JEM=$PWD/loses jem.sbatch runs/lost)
    few=$(submit few --export ALL,JEM=$PWD/loses,JEM_RESTARTS=1 jem.sbatch runs/few)
    expect lost "$lost" FAILED 3
    expect few "$few" FAILED 1
}

saved() { grep -q 'exit code 75.*asks to come back' "$1.log" || die "$1 didn't leave with 75" "$1.log"; }

# same_as A B: whether run B ended with the files of A's last checkpoint, byte for byte.
same_as() {
    local a=runs/$1/checkpoints/step-00000300/MANIFEST.json b=runs/$2/checkpoints/step-00000300/MANIFEST.json
    wait_for 240 "$1 ends" test -e "$a"
    cmp "$a" "$b" || die "$1 and $2 have other checkpoints" "$a" "$b"
    echo "ok: $2 ends with the bits of $1: MANIFEST.json $(sha256sum <"$a" | cut -c 1-16)"
}

inside() {
    local name failed=0
    local -A pids
    cd /tmp/work
    mv cluster/slurm/*.sbatch .
    slurm_start
    (($#)) || set -- $(declare -F | sed -n 's/.*case_//p')
    [[ " $* " == *" undisturbed "* ]] || set -- undisturbed "$@"
    [[ " $* " != *" ranks_"* || " $* " == *" ranks "* ]] || set -- ranks "$@"
    for name; do
        if [[ $name == ranks* && ! -x bin/jem-mpi ]]; then
            echo "== $name: not run: no bin/jem-mpi: make mpi"
            continue
        fi
        (set -e; "case_$name") >"result-$name" 2>&1 &
        pids[$name]=$!
    done
    for name; do
        [[ -n ${pids[$name]:-} ]] || continue
        wait "${pids[$name]}" || failed=1
        echo "== $name"
        cat "result-$name"
    done
    return $failed
}

case ${1:-} in
--why-not) why_not ;;
--overlay) shift && overlay "$@" ;;
--inside) shift && inside "$@" ;;
*)
    why=$(why_not) || { echo "not run: $why"; exit 0; }
    [[ -x bin/jem ]] || { echo "no bin/jem: make build"; exit 1; }
    outside "$@"
    ;;
esac
