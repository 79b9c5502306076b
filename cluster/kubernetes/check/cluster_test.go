package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// restricted is the namespace of the tests: pods there must keep the strictest of Kubernetes' standards for security.
const restricted = `apiVersion: v1
kind: Namespace
metadata:
  name: jem
  labels: {pod-security.kubernetes.io/enforce: restricted, pod-security.kubernetes.io/enforce-version: latest}
`

// TestCluster asks a real API server, and the real controller of Jobs.
func TestCluster(t *testing.T) {
	s := start(t)
	t.Log(strings.TrimSpace(s.must(t, "", "version")))
	s.must(t, restricted, "apply", "-f", "-")
	for _, d := range definitions {
		for _, file := range d.fetch(t) {
			s.must(t, "", "create", "-f", file) // apply would keep a copy, for which they are too large
		}
	}
	for _, k := range kinds {
		s.must(t, "", "wait", "--for=condition=Established", "--timeout=60s", "customresourcedefinition/"+k)
	}
	t.Run("accepted", s.accepted)
	t.Run("refused", s.refused)
	t.Run("secured", s.secured)
	t.Run("an exit code", s.codes)
	t.Run("seeds", s.seeds)
	t.Run("ranks", s.ranks)
}

// accepted has the server check each manifest as if it were meant, and then takes it at its word.
func (s *server) accepted(t *testing.T) {
	for _, file := range manifests(t) {
		out, err := s.kubectl("", "apply", "--dry-run=server", "--validate=strict", "-f", file)
		if err != nil {
			t.Error(err)
		}
		t.Log(strings.Join(strings.Split(strings.TrimSpace(out), "\n"), "; "))
	}
	for _, file := range manifests(t) {
		s.must(t, "", "apply", "--validate=strict", "-f", file)
	}
	for _, file := range manifests(t) {
		s.must(t, "", "delete", "--wait=false", "--cascade=background", "-f", file)
	}
}

func (s *server) refused(t *testing.T) {
	all := slices.Concat(mistakes, []mistake{
		{"a number for a text", "ranks.yaml", "{name: JEM_RANKS, value: \"4\"}", "{name: JEM_RANKS, value: 4}", "env", true},
		{"a misspelt field of a JobSet", "jobset.yaml", "enableDNSHostnames", "enableDnsHostnames", `unknown field "spec.network.enableDnsHostnames"`, true},
		{"an action that JobSet doesn't have", "jobset.yaml", "action: FailJobSet", "action: Fail", "Unsupported value", true},
		{"a misspelt field of a TrainJob", "trainjob.yaml", "  trainer:\n    numNodes", "  trainer:\n    nodes", `unknown field "spec.trainer.nodes"`, true},
		{"a TrainJob without a runtime", "trainjob.yaml", "  runtimeRef: {apiGroup: trainer.kubeflow.org, kind: TrainingRuntime, name: jem}\n", "", "spec.runtimeRef", true},
		{"a misspelt field of an MPIJob", "mpijob.yaml", "slotsPerWorker", "slots", `unknown field "spec.slots"`, true},
		{"an MPI that the operator doesn't know", "mpijob.yaml", "  slotsPerWorker: 1\n", "  slotsPerWorker: 1\n  mpiImplementation: LAM\n", "Unsupported value", true},
	})
	for _, m := range all {
		_, err := s.kubectl(m.broken(t), "apply", "--dry-run=server", "--validate=strict", "-f", "-")
		if err == nil || !strings.Contains(err.Error(), m.want) {
			t.Errorf("%s: got %v, want %q", m.name, err, m.want)
			continue
		}
		_, why, _ := strings.Cut(strings.TrimSpace(err.Error()), "exit status 1: ")
		t.Logf("%s: %s", m.name, why)
	}
}

// secured: the pods of the Jobs above are made in a namespace that refuses those which ask for more than they need.
func (s *server) secured(t *testing.T) {
	pod := "{apiVersion: v1, kind: Pod, metadata: {name: loose}, spec: {containers: [{name: jem, image: jem}]}}"
	if _, err := s.kubectl(pod, "create", "--dry-run=server", "-f", "-"); err == nil || !strings.Contains(err.Error(), `violates PodSecurity "restricted:latest"`) {
		t.Errorf("got %v", err)
	}
}

// field is what a JSON path says of an object.
func (s *server) field(what, path string) (string, error) {
	return s.kubectl("", append(strings.Fields("get "+what), "-o", "jsonpath={"+path+"}")...)
}

// live are the names of a Job's pods that have not ended, in order.
func (s *server) live(job string) ([]string, error) {
	out, err := s.kubectl("", "get", "pods", "-l", "job-name="+job, "--field-selector=status.phase=Pending", "--sort-by=.metadata.name", "-o", "jsonpath={.items[*].metadata.name}")
	return strings.Fields(out), err
}

// pods waits until so many of a Job's pods have not ended, and none of those in old is among them.
func (s *server) pods(t *testing.T, job string, n int, old ...string) (all []string) {
	t.Helper()
	s.await(t, fmt.Sprintf("%d pods of %s", n, job), func() (err error) {
		all, err = s.live(job)
		if err == nil && (len(all) != n || slices.ContainsFunc(all, func(p string) bool { return slices.Contains(old, p) })) {
			err = fmt.Errorf("there are %q", all)
		}
		return err
	})
	return all
}

// ends says of a pod what a node would: its container left with the code, under conditions, which are JSON.
func (s *server) ends(t *testing.T, pod string, code int, conditions ...string) {
	t.Helper()
	phase := map[bool]string{true: "Succeeded", false: "Failed"}[code == 0]
	s.must(t, "", "patch", "pod", pod, "--subresource=status", "--type=merge", "-p", fmt.Sprintf(
		`{"status":{"phase":%q,"conditions":[%s],"containerStatuses":[{"name":"jem","image":"jem","imageID":"","restartCount":0,"ready":false,"started":false,"state":{"terminated":{"exitCode":%d,"startedAt":"2026-01-01T00:00:00Z","finishedAt":"2026-01-01T00:00:01Z"}}}]}}`,
		phase, strings.Join(conditions, ","), code))
}

// wants waits until fields of an object say what they should.
func (s *server) wants(t *testing.T, what string, want map[string]string) {
	t.Helper()
	for path, v := range want {
		s.await(t, what, func() error {
			got, err := s.field(what, path)
			if err == nil && got != v {
				err = errors.New(path + " is " + got + ", not " + v)
			}
			return err
		})
	}
}

// begin makes a Job that may have been there before, and returns its first pods. Nothing collects what deleted Jobs leave: that
// is another controller's.
func (s *server) begin(t *testing.T, file, job string, pods int) []string {
	t.Helper()
	s.must(t, "", "delete", "job", job, "--ignore-not-found", "--cascade=background")
	s.must(t, "", "delete", "pods", "-l", "job-name="+job, "--force", "--grace-period=0")
	s.must(t, "", "apply", "-f", "../"+file)
	return s.pods(t, job, pods)
}

// codes has the one pod of a Job leave in each way that a run can.
func (s *server) codes(t *testing.T) {
	begin := func(t *testing.T) string { return s.begin(t, "job.yaml", "jem", 1)[0] }
	t.Run("0 is the end", func(t *testing.T) {
		s.ends(t, begin(t), 0)
		s.wants(t, "job jem", map[string]string{`.status.conditions[?(@.type=="Complete")].status`: "True", ".status.succeeded": "1"})
	})
	t.Run("75 comes back, uncounted", func(t *testing.T) {
		pod := begin(t)
		s.ends(t, pod, 75)
		again := s.pods(t, "jem", 1, pod)[0]
		s.wants(t, "job jem", map[string]string{".status.failed": "", ".status.conditions": ""})
		s.ends(t, again, 0)
		s.wants(t, "job jem", map[string]string{`.status.conditions[?(@.type=="Complete")].status`: "True"})
	})
	t.Run("an eviction comes back, uncounted", func(t *testing.T) {
		pod := begin(t)
		s.ends(t, pod, 137, `{"type":"DisruptionTarget","status":"True","reason":"EvictionByEvictionAPI"}`)
		s.pods(t, "jem", 1, pod)
		s.wants(t, "job jem", map[string]string{".status.failed": "", ".status.conditions": ""})
	})
	for _, code := range []int{69, 73, 137} {
		t.Run(fmt.Sprintf("%d comes back, counted", code), func(t *testing.T) {
			pod := begin(t)
			s.ends(t, pod, code)
			s.pods(t, "jem", 1, pod)
			s.wants(t, "job jem", map[string]string{".status.failed": "1", ".status.conditions": ""})
		})
	}
	for _, code := range []int{2, 65, 70, 74, 76, 78} {
		t.Run(fmt.Sprintf("%d is the end", code), func(t *testing.T) {
			s.ends(t, begin(t), code)
			s.wants(t, "job jem", map[string]string{`.status.conditions[?(@.type=="Failed")].reason`: "PodFailurePolicy", ".status.failed": "1"})
			why, err := s.field("job jem", `.status.conditions[?(@.type=="Failed")].message`)
			if err != nil || !strings.Contains(why, fmt.Sprintf("exit code %d matching FailJob rule", code)) {
				t.Errorf("%q, %v", why, err)
			}
			t.Log(why)
		})
	}
}

// seeds: one that diverges ends alone, and each gets its number.
func (s *server) seeds(t *testing.T) {
	first := s.begin(t, "seeds.yaml", "jem-seeds", 2)
	from, err := s.field("pod "+first[0], `.spec.containers[0].env[?(@.name=="JOB_COMPLETION_INDEX")].valueFrom.fieldRef.fieldPath`)
	if err != nil || !strings.Contains(from, "batch.kubernetes.io/job-completion-index") {
		t.Errorf("the pod's number comes from %q, %v", from, err)
	}
	s.ends(t, first[0], 76)
	s.pods(t, "jem-seeds", 2, first[0])
	s.wants(t, "job jem-seeds", map[string]string{".status.failedIndexes": "0", `.status.conditions[?(@.type=="Failed")].status`: ""})
	s.ends(t, first[1], 0)
	s.pods(t, "jem-seeds", 2, first...)
	s.wants(t, "job jem-seeds", map[string]string{".status.completedIndexes": "1"})
}

// ranks find the first of them under the name that they are told; all leave with 69 when one is lost, and come back.
func (s *server) ranks(t *testing.T) {
	first := s.begin(t, "ranks.yaml", "jem-ranks", 4)
	for rank, pod := range first {
		name, err := s.field("pod "+pod, ".spec.hostname}.{.spec.subdomain}/{.metadata.labels['batch\\.kubernetes\\.io/job-completion-index']")
		if want := fmt.Sprintf("jem-ranks-%d.jem-ranks/%d", rank, rank); err != nil || name != want {
			t.Errorf("%s is %q, %v; want %q", pod, name, err, want)
		}
		address, err := s.field("pod "+pod, `.spec.containers[0].env[?(@.name=="MASTER_ADDR")].value`)
		if err != nil || address != "jem-ranks-0.jem-ranks" {
			t.Errorf("%s looks for rank 0 at %q, %v", pod, address, err)
		}
		s.ends(t, pod, 69)
	}
	again := s.pods(t, "jem-ranks", 4, first...)
	s.wants(t, "job jem-ranks", map[string]string{".status.failed": "4", ".status.conditions": ""})
	for _, pod := range again {
		s.ends(t, pod, 0)
	}
	s.wants(t, "job jem-ranks", map[string]string{`.status.conditions[?(@.type=="Complete")].status`: "True", ".status.completedIndexes": "0-3"})
}
