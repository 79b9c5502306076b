//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestServeReloads: a checkpoint that comes while many ask answers from then on, with its own verdicts, and no request is lost.
func TestServeReloads(t *testing.T) {
	run, later := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "step-00000040")
	if err := os.CopyFS(run, os.DirFS(shapesRun(t))); err != nil {
		t.Fatal(err)
	}
	newest := filepath.Join(run, "checkpoints", "step-00000040")
	if err := os.Rename(newest, later); err != nil {
		t.Fatal(err)
	}
	s := startServing(t, run, "--rule", "px", "--reload", "50ms", "--conv-algo", "direct")
	var about struct{ Inputs []struct{ Shape []int } }
	s.document(t, "/v2/models/jem", &about)
	shape := about.Inputs[0].Shape
	image := make([]byte, shape[1]*shape[2]*shape[3])
	body := fmt.Sprintf(`{"inputs":[{"name":"images","shape":[1,%d,%d,%d],"datatype":"UINT8","data":%s}],"outputs":[{"name":"log_px"},{"name":"score"},{"name":"p_value"}]}`,
		shape[1], shape[2], shape[3], strings.ReplaceAll(fmt.Sprint(image), " ", ","))
	said := map[string]string{} // what each version says of one image: always the same
	end := time.Now().Add(time.Minute)
	for len(said) < 2 && time.Now().Before(end) {
		r, err := http.Post(s.address+"/v2/models/jem/infer", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r.Body)
		r.Body.Close()
		var a struct {
			Version string `json:"model_version"`
			Outputs json.RawMessage
		}
		if err := json.Unmarshal(text, &a); err != nil || r.StatusCode != http.StatusOK {
			t.Fatalf("%d %s, %v", r.StatusCode, text, err)
		}
		if was := said[a.Version]; err != nil || was != "" && was != string(a.Outputs) {
			t.Fatalf("version %s says %s and then %s, %v", a.Version, was, a.Outputs, err)
		}
		if said[a.Version] = string(a.Outputs); len(said) == 1 {
			_ = os.Rename(later, newest) // once
		}
	}
	if said["20"] == "" || said["40"] == "" || said["20"] == said["40"] {
		t.Errorf("answers by version: %v", said)
	}
	if r, err := http.Get(s.address + "/" + strings.Repeat("x", 30_000)); err != nil || r.Body.Close() != nil || r.StatusCode != http.StatusNotFound {
		t.Errorf("a long path: %+v, %v", r, err)
	}
	var page struct{ Rule struct{ Threshold float64 } }
	s.document(t, "/api/model", &page)
	if other := startServing(t, run, "--rule", "px", "--conv-algo", "direct"); true {
		var fresh struct{ Rule struct{ Threshold float64 } }
		other.document(t, "/api/model", &fresh)
		if page != fresh || other.end() != exitDone {
			t.Errorf("the rule after a reload %+v, of a service that began with it %+v", page, fresh)
		}
	}
	if code := s.end(); code != exitDone || !strings.Contains(s.log.String(), "a newer checkpoint answers") {
		t.Errorf("exit code %d\n%s", code, s.log)
	}
	for line := range strings.Lines(s.log.String()) {
		if len(line) > 2000 {
			t.Errorf("a line of the log has %d bytes: %.100s", len(line), line)
		}
	}
}

// document reads one of the service's documents.
func (s *soaked) document(t *testing.T, path string, into any) {
	t.Helper()
	r, err := http.Get(s.address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if err := json.NewDecoder(r.Body).Decode(into); err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", path, r.Status, err)
	}
}

// TestServeAnswersBeforeItEnds: a request whose body is half there at SIGTERM is answered, a new one finds nobody, and the exit
// code is 0; one that never comes whole is waited for as --drain says.
func TestServeAnswersBeforeItEnds(t *testing.T) {
	images, _ := officialScores(t)
	body, n := inference(images[0])
	for name, whole := range map[string]bool{"whole": true, "never": false} {
		t.Run(name, func(t *testing.T) {
			s := startServing(t, official+"zip.pt", "--drain", map[bool]string{true: "30s", false: "300ms"}[whole])
			c, err := net.Dial("tcp", strings.TrimPrefix(s.address, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			wire := bytes.Replace(wireOf(body, n), []byte("\r\n\r\n"), []byte("\r\nExpect: 100-continue\r\n\r\n"), 1)
			half := len(wire) - len(body)/2
			if _, err := c.Write(wire[:half]); err != nil {
				t.Fatal(err)
			}
			from := bufio.NewReader(c)
			if line, err := from.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") { // its body is being read
				t.Fatalf("%q, %v", line, err)
			}
			_, _ = from.ReadString('\n')
			ended := make(chan int, 1)
			go func() { ended <- s.end() }()
			if !whole {
				if code := <-ended; code != exitDone || !strings.Contains(s.log.String(), "hung up on") {
					t.Errorf("exit code %d\n%s", code, s.log)
				}
				return
			}
			for { // it takes no more connections
				other, err := net.Dial("tcp", c.RemoteAddr().String())
				if err != nil {
					break
				}
				other.Close()
				time.Sleep(time.Millisecond)
			}
			if _, err := c.Write(wire[half:]); err != nil {
				t.Fatal(err)
			}
			r, err := http.ReadResponse(from, nil)
			if err != nil || r.StatusCode != http.StatusOK {
				t.Fatalf("%+v, %v", r, err)
			}
			if text, err := io.ReadAll(r.Body); err != nil || !bytes.Contains(text, []byte("log_px")) {
				t.Errorf("%q, %v", text, err)
			}
			c.Close()
			if code := <-ended; code != exitDone {
				t.Errorf("exit code %d\n%s", code, s.log)
			}
		})
	}
}

// TestServeEndsWhileItBegins with 0, wherever it is told to.
func TestServeEndsWhileItBegins(t *testing.T) {
	cmd := exec.Command(jem, "serve", shapesRun(t), "--rule", "pxgrad", "--listen", "127.0.0.1:0", "--log-format", "json", "--conv-algo", "direct")
	told := false
	code := listen(t, cmd, func(line string) {
		if !told && strings.Contains(line, `"opened"`) { // what is fitted takes a while from here
			told = true
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
	})
	if !told || code != exitDone {
		t.Errorf("exit code %d", code)
	}
}

// TestBenchScoreOverHTTP asks a service that wants a token.
func TestBenchScoreOverHTTP(t *testing.T) {
	model, token := official+"zip.pt", put(t, t.TempDir(), "token", []byte("open sesame\n"))
	s := startServing(t, model, "--token-file", token, "--threads", "1")
	bench := []string{"bench", "score", model, "--sizes", "2", "--clients", "3", "--max-batch", "4", "--time", "1ms", "--rounds", "1", "--threads", "1", "--url", s.address}
	var r scoreBench
	okJSON(t, &r, append(bench, "--token-file", token, "--json")...)
	if len(r.Loads) != 4 || r.Loads[1].Where != "http" || r.Loads[1].Requests < 3 || r.Loads[3].Where != "http" || !r.Loads[3].Backward {
		t.Errorf("%+v", r.Loads)
	}
	if r := do(t, bench...); r.code == exitDone || !strings.Contains(r.stderr, "401") {
		t.Errorf("without the token: %d, %s", r.code, r.stderr)
	}
	if r := do(t, append(bench, "--url", "localhost:1")...); r.code != exitUsage || !strings.Contains(r.stderr, "--url") {
		t.Errorf("no URL: %d, %s", r.code, r.stderr)
	}
	if code := s.end(); code != exitDone {
		t.Errorf("exit code %d\n%s", code, s.log)
	}
}
