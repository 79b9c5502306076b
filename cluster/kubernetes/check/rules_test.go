package check

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/batch"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	"k8s.io/kubernetes/pkg/registry/batch/job"
	"sigs.k8s.io/yaml"
)

// outcome says which exit codes bring a pod back, and which end its Job or index, by rules in their order.
func outcome(rules []any) string {
	var again, end []string
	for _, code := range []int{2, 65, 69, 70, 73, 74, 75, 76, 78, 137} {
		action := "Count"
		for _, r := range rules {
			if slices.ContainsFunc(at(r, "onExitCodes", "values"), func(v any) bool { return v == float64(code) }) {
				action = fmt.Sprint(at(r, "action")[0])
				break
			}
		}
		if strings.HasPrefix(action, "Fail") {
			end = append(end, fmt.Sprint(code))
		} else {
			again = append(again, fmt.Sprint(code))
		}
	}
	return "again: " + strings.Join(again, " ") + " end: " + strings.Join(end, " ")
}

// checked is what the API server's own code says of a Job, after defaults.
func checked(t *testing.T, text []byte) error {
	t.Helper()
	var v1 batchv1.Job
	if err := yaml.UnmarshalStrict(text, &v1); err != nil {
		return err
	}
	v1.UID, v1.Namespace = types.UID("a-job"), "default"
	legacyscheme.Scheme.Default(&v1)
	var internal batch.Job
	if err := legacyscheme.Scheme.Convert(&v1, &internal, nil); err != nil {
		return err
	}
	job.Strategy.PrepareForCreate(context.Background(), &internal)
	return field.ErrorList(job.Strategy.Validate(context.Background(), &internal)).ToAggregate()
}

// jobs are the Jobs of an object: itself, or those that its controller will make of it.
func jobs(t *testing.T, o object) (all [][]byte) {
	t.Helper()
	add := func(spec any) {
		b, err := json.Marshal(map[string]any{"apiVersion": "batch/v1", "kind": "Job", "metadata": map[string]any{"name": "of-it"}, "spec": spec})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	switch o["kind"] {
	case "Job":
		add(o["spec"])
	case "JobSet":
		for _, spec := range at(o, "spec", "replicatedJobs", "template", "spec") {
			add(spec)
		}
	case "TrainingRuntime":
		for _, spec := range at(o, "spec", "template", "spec", "replicatedJobs", "template", "spec") {
			add(spec)
		}
	case "MPIJob": // of whose pods the launcher's are a Job's
		for _, role := range []string{"Launcher", "Worker"} {
			template := at(o, "spec", "mpiReplicaSpecs", role, "template")[0].(map[string]any)
			template["spec"].(map[string]any)["restartPolicy"] = "Never" // which the operator fills in
			add(map[string]any{"template": template})
		}
	}
	return all
}

func TestJobsKeepTheRules(t *testing.T) {
	found := map[string]int{}
	for _, file := range manifests(t) {
		for _, o := range documents(t, read(t, file)) {
			for _, text := range jobs(t, o) {
				found[fmt.Sprint(o["kind"])]++
				if err := checked(t, text); err != nil {
					t.Errorf("%s: %v", file, err)
				}
			}
		}
	}
	if got := fmt.Sprint(found); got != "map[Job:3 JobSet:1 MPIJob:2 TrainingRuntime:1]" {
		t.Errorf("looked at %s", got)
	}
}

func TestTheRulesRefuseMistakes(t *testing.T) {
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			var err error
			for _, part := range strings.Split(m.broken(t), "\n---\n") {
				if strings.Contains(part, "kind: Job") {
					err = checked(t, []byte(part))
				}
			}
			if err == nil || !m.decoding && !strings.Contains(err.Error(), m.want) {
				t.Errorf("got %v, want %q", err, m.want)
			}
		})
	}
}
