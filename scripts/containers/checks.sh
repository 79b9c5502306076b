# What is seen of an image that runs. Sourced by scripts/containers.sh, which sets work, release and owner.

ok() {
    checks=$((checks + 1))
    echo "  ok   $*"
}

# find_engine takes the first runtime that works here, and says why others don't.
find_engine() {
    local candidate
    store from --name probe "$debian_image" >/dev/null 2>&1
    store commit --format oci probe "oci:$work/probe.oci:made" >/dev/null 2>&1
    store rm probe >/dev/null
    unpack "$work/probe.oci:made" probe
    engine=chroot
    for candidate in crun runc; do
        if inside probe "$candidate" --entrypoint /bin/true -- >"$work/$candidate.log" 2>&1; then
            engine=$candidate
        else
            skip "$candidate" "$("$candidate" --version | head -n 1): $(tail -n 1 "$work/$candidate.log")"
        fi
    done
    echo "  containers run in $engine"
}

# inside NAME ENGINE FLAGS… -- ARGUMENTS…: a container of the image's in the foreground.
inside() {
    local name=$1 with=$2
    shift 2
    python3 scripts/containers/bundle.py run "$with" "$work/$name" "$name" "$@"
}

in_image() { # NAME FLAGS… -- ARGUMENTS…: the same in the runtime that works, with $work/NAME.runs as volume
    local name=$1
    shift
    inside "$name" "$engine" --mount "$work/$name.runs:/runs" "$@"
}

# stop NAME SIGNAL PID: what docker stop does: the signal goes to process 1 of the container, which runs as our process PID.
stop() {
    local parent=$3
    if [[ $engine != chroot ]]; then
        "$engine" --root "$work/$engine-state" kill "$1" "$2"
        return
    fi
    while [[ $(cat "/proc/$parent/comm") != unshare ]]; do
        parent=$(pgrep -P "$parent") || return 1
    done
    kill -s "$2" "$(pgrep -P "$parent")"
}

# says NAME LINE…: the image says each line of itself, and has its version and revision.
says() {
    local name=$1 line
    shift
    python3 scripts/containers/bundle.py about "$work/$name" >"$work/about"
    for line in "$@" "org.opencontainers.image.version $release" "org.opencontainers.image.revision $revision" \
        "org.opencontainers.image.licenses Apache-2.0"; do
        grep -qxF -- "$line" "$work/about" || { cat "$work/about"; die "$name does not say: $line"; }
    done
    ok "$name: user, entry point, stop signal and labels"
}

# fails NAME CODE WORDS COMMAND…: the command ends with the exit code and says the words.
fails() {
    local name=$1 code=$2 words=$3 rc=0
    shift 3
    "$@" >"$work/out.log" 2>&1 || rc=$?
    [[ $rc == "$code" ]] && grep -q -- "$words" "$work/out.log" ||
        { tail -n 5 "$work/out.log"; die "$name: exit code $rc, want $code and \"$words\""; }
}

# stopped NAME STEP RUN FLAGS… -- ARGUMENTS…: trains in a container, stops it with the image's own signal after STEP, expects
# exit code 75 and, from the same command again, 0.
stopped() {
    local name=$1 step=$2 run=$3 signal pid rc=0
    shift 3
    signal=$(awk '$1 == "org.opencontainers.image.stopSignal" { print $2 }' "$work/about")
    in_image "$name" "$@" >"$work/out.log" 2>&1 &
    pid=$!
    for _ in $(seq 600); do # a minute
        ! grep -q "step.*$step," "$work/out.log" || break
        kill -0 $pid 2>/dev/null || break
        sleep 0.1
    done
    stop "$name" "$signal" $pid 2>"$work/stop.log" || true # an end of its own shows in its exit code
    wait $pid || rc=$?
    [[ $rc == 75 ]] || { tail -n 5 "$work/out.log"; die "$name: exit code $rc after $signal, want 75"; }
    in_image "$name" "$@" >"$work/out.log" 2>&1 || { tail -n 5 "$work/out.log"; die "$name: exit code $? when resumed"; }
    [[ -s $work/$name.runs/$run/report.html ]] || die "$name: no report"
    [[ -z $(find "$work/$name.runs" -not -uid "${owner%:*}") ]] || die "$name: files of another user"
    ok "$name: $signal ends it with 75, the same command goes on and ends with 0"
}

weights() { (cd "$1" && sha256sum checkpoints/step-00000120/*.safetensors); } # of a run's last checkpoint

# same_bits RUN: a run of the container's ended with the bits of one that bin/jem makes here without a stop.
same_bits() {
    local outside=$work/outside
    [[ -d $outside ]] || bin/jem "${recipe[@]}" --out "$outside" >"$work/out.log" 2>&1 || { tail -n 5 "$work/out.log"; die "bin/jem does not train"; }
    diff <(weights "$outside") <(weights "$1") || die "$1: other weights than outside"
}

# The algorithm is named, since the measured choice may differ between two processes.
recipe=(train --preset shapes-demo --conv-algo winograd)

# first_steps NAME: what a user does with an image of the CPU program.
first_steps() {
    local name=$1
    install -d -o "${owner%:*}" -g "${owner#*:}" "$work/$name.runs"
    in_image "$name" -- version >"$work/out.log" || die "$name: does not run"
    grep -qF "jem $release " "$work/out.log" || { cat "$work/out.log"; die "$name: not version $release"; }
    ok "$name: $(cat "$work/out.log")"
    stopped "$name" 10 first -- "${recipe[@]}" --out /runs/first --resume-if-there
    same_bits "$work/$name.runs/first"
    ok "$name: the weights of a run that was stopped there are those of one outside that was not"
    in_image "$name" -- eval /runs/first --json >"$work/eval.json" 2>"$work/out.log" || { cat "$work/out.log"; die "$name: eval fails"; }
    grep -q '"accuracy"' "$work/eval.json" || die "$name: eval says no accuracy"
    ok "$name: eval reads the run"
    fails "$name" 74 "read-only file system" in_image "$name" -- "${recipe[@]}" --out /elsewhere
    ok "$name: the root is read-only, a run in it is refused (74)"
    if [[ $engine == chroot ]]; then
        skip "$name: memory" "a chroot has no limit of its own"
    else
        fails "$name" 78 "control group" in_image "$name" --memory $((24 << 20)) -- "${recipe[@]}" --out /runs/small
        ok "$name: $(sed -n 's/^jem: //p' "$work/out.log" | head -n 1) (78)"
    fi
}

# ranks_in_one_container NAME: two ranks under mpirun, which is process 1's child as with docker run --init, or process 1.
ranks_in_one_container() {
    local name=$1 flags=(--entrypoint mpirun --tmpfs /tmp)
    in_image "$name" "${flags[@]}" -- -n 2 jem-mpi version >"$work/out.log" 2>&1 || { cat "$work/out.log"; die "$name: mpirun fails"; }
    [[ $(grep -cF "jem $release " "$work/out.log") == 2 ]] || { cat "$work/out.log"; die "$name: not two ranks"; }
    ok "$name: mpirun starts two processes, not root, on a read-only root"
    if ! in_image "$name" -- train --help 2>&1 | grep -q -- --rank-timeout; then
        skip "$name: two ranks train" "jem train has no ranks in this source"
        return
    fi
    stopped "$name" 10 two "${flags[@]}" -- -n 2 jem-mpi "${recipe[@]}" --out /runs/two --resume-if-there
    [[ $(grep -c '"ranks": 2' "$work/$name.runs/two/env.json") == 2 ]] || # both starts
        { cat "$work/$name.runs/two/env.json"; die "$name: two processes did not train as two ranks"; }
    ok "$name: two ranks trained together, before the stop and after"
}

# on_a_gpu NAME ROOT: the GPU image with cuDNN of the toolkit in ROOT, as its real base has it, but without a driver; and
# with stand-ins for both, put where a container runtime puts a driver.
on_a_gpu() {
    local name=$1 flags=(--env LD_LIBRARY_PATH=/usr/local/nvidia/lib64) sim
    install -d -o "${owner%:*}" -g "${owner#*:}" "$work/$name.runs"
    fails "$name" 127 "libcuda.so.1: cannot open" in_image "$name" "${flags[@]}" --read "$2/lib64:/usr/local/nvidia/lib64" -- devices
    ok "$name: without a driver it does not start (127): $(sed 's/.*loading/loading/' "$work/out.log" | tail -n 1)"
    sim=$(scripts/cuda-sim.sh 13.0 2>"$work/sim.log") || { skip "$name on stand-ins" "$(tail -n 1 "$work/sim.log")"; return; }
    in_image "$name" "${flags[@]}" --read "$sim:/usr/local/nvidia/lib64" -- devices >"$work/out.log" 2>&1 ||
        { cat "$work/out.log"; die "$name: does not run on the stand-ins"; }
    ok "$name: $(grep -E '^cuda' "$work/out.log" || die "$name: no device on the stand-ins")"
}
