package sysmem

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const gib = 1 << 30

// machine has 8 GiB, of which 6 are left, and 1 of swap.
var machine = map[string]string{"proc/meminfo": "MemTotal: 8388608 kB\nMemFree: 1 kB\nMemAvailable: 6291456 kB\nSwapFree: 1048576 kB\n"}

func TestTheLeastLimitCounts(t *testing.T) {
	for name, tc := range map[string]struct {
		files map[string]string
		want  float64
		by    string
	}{
		"no control groups": {nil, 7 * gib, "machine"},
		"version 2":         {map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "2147483648\n"}, 2 * gib, "control group"},
		"version 2, an outer group allows less": {map[string]string{"proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "3221225472\n"}, 3 * gib, "control group"},
		"version 2, held back before": {map[string]string{"proc/self/cgroup": "0::/a\n",
			"sys/fs/cgroup/a/memory.max": "3221225472\n", "sys/fs/cgroup/a/memory.high": "1073741824\n"}, gib, "control group"},
		"version 2, in a container": {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1073741824\n"}, gib, "control group"},
		"version 2, partly taken": {map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "3221225472\n",
			"sys/fs/cgroup/a/memory.stat": "anon 1073741824\nfile 999999999\n"}, 2 * gib, "control group"},
		"version 1": {map[string]string{"proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/docker/1\n", "sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes": "1073741824\n"}, gib, "control group"},
		"version 1, in a container that sees its own root": {map[string]string{"proc/self/cgroup": "4:memory:/docker/1\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n"}, gib, "control group"},
		"version 1, no limit": {map[string]string{"proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 7 * gib, "machine"},
		"both":                {map[string]string{"proc/self/cgroup": "4:memory:/\n0::/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n"}, gib, "control group"},
		"garbage":             {map[string]string{"proc/self/cgroup": "\n:\n0::/../../..\n", "sys/fs/cgroup/memory.max": "much\n"}, 7 * gib, "machine"},
	} {
		root := build(t, machine, tc.files)
		if got := available(root); got.Bytes != tc.want || !strings.Contains(got.By, tc.by) {
			t.Errorf("%s: got %g GiB by %s, want %g by %s", name, got.Bytes/gib, got.By, tc.want/gib, tc.by)
		}
	}
	if got := available(system(t.TempDir())); got.Bytes != 0 {
		t.Errorf("a system that tells nothing: got %g by %s", got.Bytes, got.By)
	}
}

// build makes a system of files.
func build(t *testing.T, all ...map[string]string) system {
	t.Helper()
	root := t.TempDir()
	for _, files := range all {
		for path, text := range files {
			path = filepath.Join(root, path)
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	return system(root)
}

func TestTheFewestProcessorsCount(t *testing.T) {
	eight := map[string]string{"sys/devices/system/cpu/online": "0-5,8,9\n"}
	for name, tc := range map[string]struct {
		files     map[string]string
		used, own int
		variable  string
		want      int
		by        string
	}{
		"all":                      {nil, 8, 8, "", 8, "cores"},
		"a mask":                   {nil, 3, 3, "", 3, "affinity"},
		"the variable":             {nil, 5, 8, "5", 5, "GOMAXPROCS"},
		"the variable, in a group": {map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": "200000 100000\n"}, 5, 8, "5", 5, "GOMAXPROCS"},
		"a variable that is none":  {nil, 8, 8, "many", 8, "cores"},
		"version 2":                {map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": "250000 100000\n"}, 3, 8, "", 3, "control group"},
		"version 2, less than two": {map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": "50000 100000\n"}, 2, 8, "", 1, "control group"},
		"version 2, an outer group": {map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "max 100000\n",
			"sys/fs/cgroup/a/cpu.max": "400000 100000\n"}, 8, 8, "", 4, "control group"},
		"version 1": {map[string]string{"proc/self/cgroup": "3:cpu,cpuacct:/a\n", "sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "200000\n",
			"sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "100000\n"}, 8, 8, "", 2, "control group"},
		"version 1, no quota": {map[string]string{"proc/self/cgroup": "3:cpu:/\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
			"sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}, 8, 8, "", 8, "cores"},
		"a mask below a quota": {map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": "600000 100000\n"}, 2, 2, "", 2, "affinity"},
	} {
		if n, by := build(t, eight, tc.files).processors(tc.used, tc.own, tc.variable, 1, 0); n != tc.want || !strings.Contains(by, tc.by) {
			t.Errorf("%s: got %d by %s, want %d by %s", name, n, by, tc.want, tc.by)
		}
	}
}

func TestRanksShareTheProcessors(t *testing.T) {
	eight := map[string]string{"sys/devices/system/cpu/online": "0-7\n"}
	quota := map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": "600000 100000\n"}
	for name, tc := range map[string]struct {
		files            map[string]string
		used, own, ranks int
		variable         string
		masks            string // the first one's is this rank's; "": not known
		want             int
		by               string
	}{
		"all":                        {nil, 8, 8, 4, "", "0-7 0-7 0-7 0-7", 2, "cores, among 4 ranks"},
		"all, masks not known":       {nil, 8, 8, 4, "", "", 2, "cores, among 4 ranks"},
		"not even":                   {nil, 8, 8, 3, "", "0-7 0-7 0-7", 2, "cores, among 3 ranks"},
		"thirds":                     {nil, 6, 6, 3, "", "0-5 0-5 0-5", 2, "affinity mask (taskset, cpuset), among 3 ranks"},
		"more than cores":            {nil, 8, 8, 9, "", "0-7 0-7 0-7 0-7 0-7 0-7 0-7 0-7 0-7", 1, "cores, among 9 ranks"},
		"a quota is of all":          {quota, 6, 8, 2, "", "0-7 0-7", 3, "control group (container, Slurm, systemd), among 2 ranks"},
		"the variable is of each":    {nil, 3, 8, 4, "3", "0-7 0-7 0-7 0-7", 3, "GOMAXPROCS"},
		"a mask of each":             {nil, 2, 2, 4, "", "2-3 0-1 4,5 6-7", 2, "affinity mask (taskset, cpuset)"},
		"masks of more than a share": {nil, 6, 6, 2, "", "0-5 6,7", 6, "affinity mask (taskset, cpuset)"},
		"a mask that all must share": {nil, 4, 4, 4, "", "0-3 0-3 0-3 0-3", 1, "affinity mask (taskset, cpuset), among 4 ranks"},
		"a small one, of all":        {nil, 2, 2, 2, "", "0-1 0-1", 1, "affinity mask (taskset, cpuset), among 2 ranks"},
		"masks that overlap":         {nil, 4, 4, 2, "", "0-3 2-5", 3, "affinity mask (taskset, cpuset), among 2 ranks"},
		"a mask that is none":        {nil, 4, 4, 2, "", "0-3 4-x", 2, "affinity mask (taskset, cpuset), among 2 ranks"},
	} {
		share := 0.0
		if tc.masks != "" {
			share = part(strings.Fields(tc.masks), 0)
		}
		if n, by := build(t, eight, tc.files).processors(tc.used, tc.own, tc.variable, tc.ranks, share); n != tc.want || !strings.HasSuffix(by, tc.by) {
			t.Errorf("%s: got %d by %s, want %d by %s", name, n, by, tc.want, tc.by)
		}
	}
}

func TestRanksShareTheMemory(t *testing.T) {
	l := Limit{8 * gib, "this machine"}
	if got := l.among(4); got.Bytes != 2*gib || got.By != "this machine, among 4 ranks," {
		t.Errorf("got %g GiB by %s", got.Bytes/gib, got.By)
	}
	if got := l.among(1); got != l {
		t.Errorf("alone: %v", got)
	}
	group := build(t, machine, map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "4294967296\n"})
	for name, tc := range map[string]struct{ space, want float64 }{"a group's": {0, gib}, "address space, of each": {gib / 2, gib / 2}, "much of that": {2 * gib, gib}} {
		if got := group.confined(Limit{tc.space, "ulimit -v"}, 4); got.Bytes != tc.want {
			t.Errorf("%s: %g GiB by %s, want %g", name, got.Bytes/gib, got.By, tc.want/gib)
		}
	}
}

func TestCores(t *testing.T) {
	if got := build(t, map[string]string{"proc/self/status": "Name:\tjem\nCpus_allowed:\tff\nCpus_allowed_list:\t0-5,8\n"}).cores(); got != "0-5,8" {
		t.Errorf("got %q", got)
	}
	if got := system(t.TempDir()).cores(); got != "" {
		t.Errorf("a system that tells nothing: %q", got)
	}
}

// A rank's share is its own, whether the others have taken theirs or not yet; nobody has more than there is.
func TestRanksTakeTheirSharesOneAfterTheOther(t *testing.T) {
	began := Limit{8 * gib, "this machine"}
	for name, tc := range map[string]struct{ now, taken, want float64 }{
		"nobody has":        {8 * gib, 0, 2 * gib},
		"this one has":      {7 * gib, 1 * gib, 1 * gib},
		"the others have":   {2 * gib, 0, 2 * gib},
		"strangers have":    {1 * gib, 0, 1 * gib},
		"more than a share": {4 * gib, 3 * gib, 1},
	} {
		if got := ours(Limit{tc.now, "this machine"}, began, 4, tc.taken); got.Bytes != tc.want {
			t.Errorf("%s: got %g GiB by %s, want %g", name, got.Bytes/gib, got.By, tc.want/gib)
		}
	}
	if got := ours(Limit{gib, "this machine"}, Limit{}, 1, gib); got.Bytes != gib {
		t.Errorf("alone: %v", got)
	}
}

func available(s system) Limit { return s.common() }
