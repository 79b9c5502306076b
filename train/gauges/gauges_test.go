package gauges

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"jem/internal/prom"
	"jem/model"
	"jem/predict"
	"jem/train"
	"jem/train/step"
)

// at is a step with these figures.
func at(n int, loss float64) *step.Record {
	return &step.Record{Step: n, Terms: model.Terms{L: loss, LogPxPos: 3 * loss, LogPxNeg: loss, Accuracy: loss / 100}, GradNorm: 7, DataSeconds: 1, SampleSeconds: 4, GradientSeconds: 2, UpdateSeconds: 0.5, ExchangeSeconds: 0.25}
}

// show is a board on a file of its own.
func show(t *testing.T, o Options) (*Board, string) {
	t.Helper()
	o.File, o.Run = filepath.Join(t.TempDir(), "metrics.prom"), "first"
	b, err := Show(o)
	if err != nil {
		t.Fatal(err)
	}
	return b, o.File
}

// value is a figure in a text: what follows its name and labels, "" where it isn't.
func value(text, name string) string {
	for line := range strings.Lines(text) {
		if v, is := strings.CutPrefix(line, name+" "); is {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// read is the file.
func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func wants(t *testing.T, text string, want map[string]string) {
	t.Helper()
	for name, v := range want {
		if got := value(text, name); got != v {
			t.Errorf("%s is %q, want %q", name, got, v)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestTheFileSaysWhatHappened(t *testing.T) {
	b, file := show(t, Options{Version: "v1", Device: "cpu", Ranks: 4, Steps: 100, Step: 10, Rollbacks: 1, Saved: time.UnixMilli(1500)})
	wants(t, read(t, file), map[string]string{
		`jem_running{run="first"}`: "1", `jem_step{run="first"}`: "10", `jem_planned_steps{run="first"}`: "100",
		`jem_checkpoint_step{run="first"}`: "10", `jem_checkpoint_timestamp_seconds{run="first"}`: "1.5",
		`jem_rollbacks_total{run="first"}`: "1", `jem_loss_nats{run="first"}`: "", `jem_steps_per_second{run="first"}`: "",
	})
	for n := range 30 { // of which the last 20 count: 20 … 39
		if err := b.Step(at(11+n, float64(n+10))); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{
		b.Evaluated(40, &predict.Judgement{Accuracy: predict.Accuracy{Split: "valid", Accuracy: 0.5, Loss: 1.25}}),
		b.Sampled(40, nil), b.Note(40, "x"), b.Saved(40, "p"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	before := float64(time.Now().UnixMilli()) / 1000
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	text := read(t, file)
	wants(t, text, map[string]string{
		`jem_running{run="first"}`: "0", `jem_step{run="first"}`: "40", `jem_loss_nats{run="first"}`: "29.5", `jem_gap_nats{run="first"}`: "59",
		`jem_training_accuracy_ratio{run="first"}`: "0.295", `jem_gradient_norm{run="first"}`: "7", `jem_notes_total{run="first"}`: "1",
		`jem_step_seconds_total{run="first",phase="sample"}`: "120", `jem_step_seconds_total{run="first",phase="update"}`: "15",
		`jem_exchange_seconds_total{run="first"}`: "7.5", `jem_ranks{run="first"}`: "4",
		`jem_evaluation_step{run="first",split="valid"}`: "40", `jem_evaluation_accuracy_ratio{run="first",split="valid"}`: "0.5",
		`jem_evaluation_loss_nats{run="first",split="valid"}`: "1.25", `jem_checkpoint_step{run="first"}`: "40",
	})
	var saved float64
	if _, err := fmt.Sscan(value(text, `jem_checkpoint_timestamp_seconds{run="first"}`), &saved); err != nil || saved > before+0.001 || saved < before-60 {
		t.Errorf("saved at %v, %v; it is %v", saved, err, before)
	}
	if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) != 1 {
		t.Errorf("beside the file there are %v, %v", entries, err)
	}
}

// What a rollback gave up counts no more: neither its steps nor its speed.
func TestARollbackTakesStepsBack(t *testing.T) {
	b, file := show(t, Options{Steps: 100})
	for n := range 5 {
		_ = b.Step(at(n+1, 1000))
	}
	if err := b.RolledBack(&train.DivergedError{}, train.Rollback{At: 6, To: 2}); err != nil {
		t.Fatal(err)
	}
	_ = b.Step(at(3, 1))
	b.Close()
	wants(t, read(t, file), map[string]string{
		`jem_step{run="first"}`: "3", `jem_rollbacks_total{run="first"}`: "1", `jem_loss_nats{run="first"}`: "1", `jem_steps_per_second{run="first"}`: "",
	})
}

func TestTheRateIsOfTheLastSteps(t *testing.T) {
	var f figures
	begin := time.Now()
	for n := range 100 { // a second each, then half of one for the last 20
		took := time.Duration(min(n, 79))*time.Second + time.Duration(max(0, n-79))*time.Second/2
		f.take(begin.Add(took), at(n+1, 0))
	}
	if r := f.rate(); len(r) != 1 || r[0] != 2 || len(f.last) != width+1 {
		t.Errorf("%v steps a second of %d", r, len(f.last))
	}
}

func TestTheFileIsKeptFreshWhileItTrains(t *testing.T) {
	b, file := show(t, Options{Every: time.Millisecond})
	defer b.Close()
	_ = b.Step(at(7, 1))
	for range 2000 {
		if value(read(t, file), `jem_step{run="first"}`) == "7" {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("nobody writes it")
}

// The training goes on without the file; what is wrong is said once.
func TestAFileThatCannotBeWritten(t *testing.T) {
	if _, err := Show(Options{File: filepath.Join(t.TempDir(), "none", "x.prom")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("at the beginning: %v", err)
	}
	told := make(chan string, 10)
	b, file := show(t, Options{Every: time.Millisecond, Notes: func(all []string) { told <- strings.Join(all, " ") }})
	if err := os.RemoveAll(filepath.Dir(file)); err != nil {
		t.Fatal(err)
	}
	_ = b.Step(at(1, 1))
	if text := <-told; !strings.Contains(text, "are not up to date") || !strings.Contains(text, file) {
		t.Errorf("told %q", text)
	}
	_ = b.Step(at(2, 1))
	if err := b.Close(); err != nil || len(told) > 0 {
		t.Errorf("%v, told again %d times", err, len(told))
	}
}

func TestThePortAnswersUntilClose(t *testing.T) {
	l, err := Listen(":0")
	if err != nil {
		t.Fatal(err)
	}
	if host := l.Addr().(*net.TCPAddr).IP.String(); host != "127.0.0.1" {
		t.Errorf("without a host it listens on %s", host)
	}
	b, err := Show(Options{Listen: l, Run: "a \"b\""})
	if err != nil {
		t.Fatal(err)
	}
	_ = b.Step(at(3, 1))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	url := "http://" + l.Addr().String()
	for _, tc := range []struct {
		method, path string
		code         int
		kind, want   string
	}{
		{"GET", "/metrics", 200, prom.ContentType, `jem_step{run="a \"b\""} 3`},
		{"GET", "/", 200, "text/plain; charset=utf-8", "see /metrics"},
		{"GET", "/debug/pprof/", 404, "", "not found"},
		{"POST", "/metrics", 405, "", "Not Allowed"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), tc.method, url+tc.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != tc.code || tc.kind != "" && r.Header.Get("Content-Type") != tc.kind || !strings.Contains(string(body), tc.want) {
			t.Errorf("%s %s: %d %s, %v\n%s", tc.method, tc.path, r.StatusCode, r.Header, err, body)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Get(url + "/metrics"); err == nil {
		t.Error("the port is still open")
	}
}

// A reader who connects and says nothing doesn't keep the run from ending.
func TestCloseWaitsForNoReader(t *testing.T) {
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b, err := Show(Options{Listen: l})
	if err != nil {
		t.Fatal(err)
	}
	idle, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	began := time.Now()
	if err := b.Close(); err != nil || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	taken, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for address, want := range map[string]struct {
		bad  bool
		text string
	}{
		"":                    {true, "want HOST:PORT"},
		"9464":                {true, "want HOST:PORT"},
		"localhost:http":      {true, `port "http"`},
		":65536":              {true, `port "65536"`},
		"203.0.113.1:9464":    {false, "can't listen there"}, // of a block for documentation: no machine has it
		taken.Addr().String(): {false, "another process listens there"},
	} {
		l, err := Listen(address)
		var of *AddressError
		if !errors.As(err, &of) || of.Bad != want.bad || !strings.Contains(err.Error(), want.text) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", address, err)
		}
		if l != nil {
			l.Close()
		}
	}
	if _, err := Listen(taken.Addr().String()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v", err)
	}
}

// Prometheus' own tool takes all figures, and finds nothing to say about their names and units.
func TestPrometheusTakesTheFigures(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("no promtool here; make test-alerts brings one")
	}
	cmd := exec.Command(promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(everything(t))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// everything is the text of a run that has seen all there is.
func everything(t *testing.T) string {
	t.Helper()
	b, file := show(t, Options{Steps: 9})
	_ = b.Step(at(1, 1))
	time.Sleep(time.Millisecond) // a rate is of a time that passed
	_ = b.Step(at(2, 1))
	_ = b.Saved(2, "")
	_ = b.Evaluated(2, &predict.Judgement{Accuracy: predict.Accuracy{Split: "test"}})
	b.Close()
	return read(t, file)
}

// Every figure has its line in the documents, and rules ask for none that there isn't.
func TestFiguresStandInTheDocuments(t *testing.T) {
	shown := map[string]bool{}
	for line := range strings.Lines(everything(t)) {
		if name, _, is := strings.Cut(line, "{"); is {
			shown[name] = true
		}
	}
	name := regexp.MustCompile(`\bjem_[a-z_]*[a-z]\b`)
	for _, file := range []string{"docs/metrics.md", "cluster/alerts.yml", "cluster/alerts_test.yml"} {
		text := read(t, filepath.Join("..", "..", filepath.FromSlash(file)))
		told := map[string]bool{}
		for _, n := range name.FindAllString(text, -1) {
			if told[n] = true; !shown[n] {
				t.Errorf("%s speaks of %s, which no run shows", file, n)
			}
		}
		for n := range shown {
			if filepath.Ext(file) == ".md" && !told[n] {
				t.Errorf("%s lacks %s", file, n)
			}
		}
	}
}
