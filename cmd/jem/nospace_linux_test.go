package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A file system that fills up during a run, at sizes from hopeless to enough: the run ends
// with exit code 74 and says what it needed, every checkpoint there is stays sound, and with
// more room the run goes on to its end.
func TestADiskThatFillsUp(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	if out, err := exec.Command("unshare", "-rm", "true").CombinedOutput(); err != nil {
		t.Skipf("needs unshare -rm: %v %s", err, out)
	}
	data, dir := writeCIFAR(t), t.TempDir()
	script := filepath.Join(dir, "run.sh")
	train := small(data, filepath.Join(dir, "disk", "run"), "--set", "train.save_every=1", "--threads", "1", "--quiet")
	err := os.WriteFile(script, []byte(fmt.Sprintf(`mkdir -p %[1]s/disk && mount -t tmpfs -o size=$1k tmpfs %[1]s/disk || exit 3
"$JEM" %[2]s; echo code $?
if [ -d %[1]s/disk/run/checkpoints ]; then "$JEM" checkpoint verify %[1]s/disk/run; echo verified $?; fi
if [ -f %[1]s/disk/run/config.yaml ]; then
	mount -o remount,size=64m %[1]s/disk
	"$JEM" train --resume %[1]s/disk/run --quiet; echo resumed $?
fi
`, dir, strings.Join(train, " "))), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	full, begun, ended := 0, 0, 0
	for kib := 200; kib <= 200+19*400; kib += 400 { // a checkpoint takes about 1.5 MB
		cmd := exec.Command("unshare", "-rm", "sh", script, fmt.Sprint(kib))
		cmd.Env = append(os.Environ(), "JEM="+jem)
		b, err := cmd.CombinedOutput()
		out := string(b)
		if cmd.ProcessState.ExitCode() == 3 {
			t.Skipf("needs the right to mount a tmpfs: %s", out)
		}
		switch {
		case err != nil:
			t.Fatalf("%d KiB: %v\n%s", kib, err, out)
		case strings.Contains(out, "code 0\n"):
			ended++
		case !strings.Contains(out, "code 74\n") || !strings.Contains(out, "no space left on device"):
			t.Errorf("%d KiB:\n%s", kib, out)
		case strings.Contains(out, "save checkpoint") && !strings.Contains(out, " bytes needed, "):
			t.Errorf("%d KiB: the room needed is not told\n%s", kib, out)
		default:
			full++
		}
		if strings.Contains(out, "verified ") && !strings.Contains(out, "verified 0\n") && !strings.Contains(out, "is no run folder") {
			t.Errorf("%d KiB: a checkpoint is damaged\n%s", kib, out)
		}
		if strings.Contains(out, "resumed ") {
			begun++
			if !strings.Contains(out, "resumed 0\n") {
				t.Errorf("%d KiB: cannot be resumed\n%s", kib, out)
			}
		}
	}
	if full == 0 || ended == 0 || begun == ended {
		t.Errorf("%d runs ran out of room, %d of them and of the others could be resumed, %d ended: want some of each", full, begun, ended)
	}
}
