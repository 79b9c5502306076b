package check

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// definition is where a controller's module has what it adds to the API. The sum is that of go.sum.
type definition struct{ module, sum, files string }

var definitions = []definition{
	{"sigs.k8s.io/jobset@v0.10.1", "h1:u8QKifNsrWVrlRFe6w2ofYTqFT9ma2DRHxfeB2m9xyU=", "config/components/crd/bases/*.yaml"},
	{"github.com/kubeflow/trainer/v2@v2.0.0", "h1:mnQSR9iPKItxyUR8mq66XsmxqKNVHwr9YYOB7BTU9dU=", "manifests/base/crds/trainer.*.yaml"},
	{"github.com/kubeflow/mpi-operator@v0.6.0", "h1:RzzG03oyQIiHe/SH2k19N+Hp4QkxEsG2l9G1T7US+ys=", "manifests/base/kubeflow.org_mpijobs.yaml"},
}

// fetch brings the module into Go's cache and returns the files.
func (d definition) fetch(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command("go", "mod", "download", "-json", d.module)
	cmd.Dir = t.TempDir() // outside of any module: it is no part of this one
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	out, err := cmd.Output()
	var got struct{ Dir, Sum, Error string }
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%s: %v\n%s", d.module, err, out)
	}
	if err != nil || got.Sum != d.sum {
		t.Fatalf("%s: %v %s, its sum is %s, not %s", d.module, err, got.Error, got.Sum, d.sum)
	}
	files, err := filepath.Glob(filepath.Join(got.Dir, d.files))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no %s, %v", d.module, d.files, err)
	}
	return files
}

// kinds are those of which the API server must learn.
var kinds = strings.Fields("jobsets.jobset.x-k8s.io trainjobs.trainer.kubeflow.org trainingruntimes.trainer.kubeflow.org clustertrainingruntimes.trainer.kubeflow.org mpijobs.kubeflow.org")
