package check

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// manifests are the files of cluster/kubernetes.
func manifests(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("../*.yaml")
	if err != nil || len(all) < 6 {
		t.Fatalf("found %v, %v", all, err)
	}
	return all
}

// read is a manifest's text.
func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// object is a document of a manifest.
type object map[string]any

// documents are the objects of a manifest.
func documents(t *testing.T, text string) (all []object) {
	t.Helper()
	for _, part := range bytes.Split([]byte(text), []byte("\n---\n")) {
		var o object
		if err := yaml.UnmarshalStrict(part, &o); err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

// at is what stands at a path of an object; nil where it ends before. A list stands for its elements.
func at(v any, path ...string) []any {
	if list, is := v.([]any); is {
		var all []any
		for _, e := range list {
			all = append(all, at(e, path...)...)
		}
		return all
	}
	if v == nil || len(path) == 0 {
		return append([]any{}, v)[:min(1, length(v))]
	}
	fields, _ := v.(map[string]any)
	if o, is := v.(object); is {
		fields = o
	}
	return at(fields[path[0]], path[1:]...)
}

func length(v any) int {
	if v == nil {
		return 0
	}
	return 1
}

// mistake is a change to a manifest that Kubernetes must refuse.
type mistake struct {
	name     string
	file     string
	from, to string
	want     string // in what it says
	decoding bool   // of a field's name or type, which the rules never see
}

// mistakes are those that a person may make who edits the manifests. All but those of decoding are the rules' own.
var mistakes = []mistake{
	{"success as a failure", "job.yaml", "values: [2, 65,", "values: [0, 2, 65,", "must not be 0 for the In operator", false},
	{"exit codes out of order", "job.yaml", "values: [2, 65, 70", "values: [65, 2, 70", "must be ordered", false},
	{"an exit code twice", "job.yaml", "values: [2, 65, 70", "values: [2, 2, 65, 70", "Duplicate value", false},
	{"no exit code", "job.yaml", "values: [75]", "values: []", "at least one value", false},
	{"an operator that there isn't", "job.yaml", "operator: In, values: [75]", "operator: Inn, values: [75]", `supported values: "In", "NotIn"`, false},
	{"an action that there isn't", "job.yaml", "action: Ignore, onExitCodes", "action: Skip, onExitCodes", `"FailJob", "Ignore"`, false},
	{"restarts that the Job doesn't see", "job.yaml", "restartPolicy: Never", "restartPolicy: OnFailure", "only \"Never\" is supported when podFailurePolicy is specified", false},
	{"a container that there isn't", "job.yaml", "onExitCodes: {operator: In, values: [75]}", "onExitCodes: {containerName: gem, operator: In, values: [75]}", "must be one of the container", false},
	{"codes and conditions in one rule", "job.yaml", "action: Ignore, onPodConditions", "action: Ignore, onExitCodes: {operator: In, values: [75]}, onPodConditions", "specifying both OnExitCodes and OnPodConditions is not supported", false},
	{"a new pod beside the old one", "job.yaml", "podReplacementPolicy: Failed", "podReplacementPolicy: TerminatingOrFailed", "podReplacementPolicy", false},
	{"an index that fails, without a limit for each", "seeds.yaml", "  backoffLimitPerIndex: 6\n  maxFailedIndexes: 5 # all others go on\n", "", "requires the backoffLimitPerIndex to be set", false},
	{"a limit for each index without indices", "seeds.yaml", "completionMode: Indexed", "completionMode: NonIndexed", "requires indexed completion mode", false},
	{"indices without a number", "ranks.yaml", "  completions: 4\n", "", "completions", false},
	{"more memory asked for than allowed", "ranks.yaml", "requests: {cpu: \"8\", memory: 32Gi}", "requests: {cpu: \"8\", memory: 64Gi}", "must be less than or equal to memory limit", false},
	{"a volume that there isn't", "ranks.yaml", "{name: shm, mountPath: /dev/shm}", "{name: shn, mountPath: /dev/shm}", "Not found: \"shn\"", false},
	{"a part of a card", "ranks.yaml", "nvidia.com/gpu: \"1\"", "nvidia.com/gpu: \"0.5\"", "must be an integer", false},
	{"a misspelt field", "job.yaml", "backoffLimit:", "backofLimit:", `unknown field "spec.backofLimit"`, true},
	{"a field in the wrong place", "job.yaml", "  podReplacementPolicy: Failed", "  terminationGracePeriodSeconds: 300\n  podReplacementPolicy: Failed", `unknown field "spec.terminationGracePeriodSeconds"`, true},
}

// broken is a manifest with the mistake.
func (m mistake) broken(t *testing.T) string {
	t.Helper()
	text := read(t, "../"+m.file)
	if !strings.Contains(text, m.from) {
		t.Fatalf("%s has no %q to break", m.file, m.from)
	}
	return strings.Replace(text, m.from, m.to, 1)
}

// What jem leaves with is in the manifests as the contract has it: restart on 69 and 75, and on 73, the lock of a lost rank; on
// nothing else.
func TestManifestsKeepTheContract(t *testing.T) {
	policies := 0
	for _, file := range manifests(t) {
		for _, o := range documents(t, read(t, file)) {
			for _, path := range [][]string{{"spec"}, {"spec", "replicatedJobs", "template", "spec"}, {"spec", "template", "spec", "replicatedJobs", "template", "spec"}} {
				rules := at(o, append(path, "podFailurePolicy", "rules")...)
				if len(rules) == 0 {
					continue
				}
				policies++
				if got, want := outcome(rules), "again: 69 73 75 137 end: 2 65 70 74 76 78"; got != want {
					t.Errorf("%s: %s; want %s", file, got, want)
				}
			}
		}
	}
	if policies != 5 {
		t.Errorf("found %d policies", policies)
	}
}
