//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"jem/internal/mutation"
)

// soaked is a jem serve.
type soaked struct {
	address string // http://HOST:PORT
	cmd     *exec.Cmd
	log     *bytes.Buffer // after the end
}

// startServing starts it with a model on a free port.
func startServing(t *testing.T, model string, args ...string) *soaked {
	t.Helper()
	s := &soaked{log: &bytes.Buffer{}}
	s.cmd = exec.Command(jem, append([]string{"serve", model, "--listen", "127.0.0.1:0", "--log-format", "json"}, args...)...)
	s.cmd.Stderr = s.log
	stdout, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if s.address = strings.TrimSpace(line); err != nil {
		_ = s.cmd.Wait()
		t.Fatalf("jem serve: %v\n%s", err, s.log)
	}
	return s
}

// end sends SIGTERM and returns the exit code.
func (s *soaked) end() int {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait() // the code tells
	return s.cmd.ProcessState.ExitCode()
}

// inference asks about an image (3,32,32) in binary form, for what jem score says of it, in binary form.
func inference(image []float32) (body []byte, jsonLength int) {
	head := fmt.Sprintf(`{"inputs":[{"name":"images","shape":[1,3,32,32],"datatype":"FP32","parameters":{"binary_data_size":%d}}],`+
		`"parameters":{"binary_data_output":true},"outputs":[{"name":"logits"},{"name":"log_px"},{"name":"approx_mass"}]}`, 4*len(image))
	body = []byte(head)
	for _, v := range image {
		body = binary.LittleEndian.AppendUint32(body, math.Float32bits(v))
	}
	return body, len(head)
}

// ask sends an inference; the status and, for 200, the numbers behind the JSON.
func (s *soaked) ask(client *http.Client, body []byte, jsonLength int) (status int, numbers []float32, err error) {
	r, err := http.NewRequest("POST", s.address+"/v2/models/jem/infer", bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Inference-Header-Content-Length", strconv.Itoa(jsonLength))
	a, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil || a.StatusCode != http.StatusOK {
		return a.StatusCode, nil, err
	}
	n, err := strconv.Atoi(a.Header.Get("Inference-Header-Content-Length"))
	if err != nil || n > len(text) || !json.Valid(text[:n]) {
		return 0, nil, fmt.Errorf("answer of %d bytes with %d of JSON, %v", len(text), n, err)
	}
	for raw := text[n:]; len(raw) >= 4; raw = raw[4:] {
		numbers = append(numbers, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
	}
	return a.StatusCode, numbers, nil
}

// figure reads one figure of /metrics.
func (s *soaked) figure(t *testing.T, name string) float64 {
	t.Helper()
	r, err := http.Get(s.address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
	if err != nil || found == nil {
		t.Fatalf("no %s in /metrics: %v", name, err)
	}
	v, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// officialScores are the official checkpoint's images, and what jem score says of each: logits, log p(x), approximate mass.
func officialScores(t *testing.T) (images, want [][]float32) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "scores.safetensors")
	ok(t, "score", "-q", official+"zip.pt", official+"expect.safetensors", "--out", out)
	x, s := tensorsOf(t, official+"expect.safetensors")["x"].F32, tensorsOf(t, out)
	const pixels, classes = 3 * 32 * 32, 10
	for i := range len(x) / pixels {
		images = append(images, x[i*pixels:(i+1)*pixels])
		row := append([]float32(nil), s["logits"].F32[i*classes:(i+1)*classes]...)
		want = append(want, append(row, s["log_px"].F32[i], s["approx_mass"].F32[i]))
	}
	return images, want
}

// nuisances are clients that a service must outlive: each call is one connection, number i.
var nuisances = map[string]func(c net.Conn, body []byte, jsonLength, i int){
	"hangs up": func(c net.Conn, body []byte, n, i int) {
		wire := wireOf(body, n)
		_, _ = c.Write(wire[:len(wire)*(i%5)/4])
	},
	"asks and doesn't wait": func(c net.Conn, body []byte, n, _ int) { _, _ = c.Write(wireOf(body, n)) },
	"stalls": func(c net.Conn, body []byte, n, i int) {
		_, _ = c.Write(wireOf(body, n)[:50+i%len(body)])
		time.Sleep(time.Duration(i%40) * 50 * time.Millisecond)
	},
	"sends garbage": func(c net.Conn, body []byte, n, i int) {
		_, _ = c.Write(mutation.Bytes(wireOf(body, n), i))
		_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		_, _ = io.Copy(io.Discard, c)
	},
	"follows a chain and leaves": func(c net.Conn, _ []byte, _, i int) {
		_, _ = c.Write([]byte("GET /api/draw?class=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"))
		_, _ = io.CopyN(io.Discard, c, int64(200+i%3000))
	},
}

// wireOf is an inference as it goes over the wire.
func wireOf(body []byte, jsonLength int) []byte {
	head := fmt.Sprintf("POST /v2/models/jem/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nInference-Header-Content-Length: %d\r\n\r\n", len(body), jsonLength)
	return append([]byte(head), body...)
}

// TestSoakOfServing: among clients that hang up, stall and send garbage each answer is jem score's to the bit, goroutines and
// memory stay as they were after the first tenth, and the end is clean. JEM_SOAK says how long; make soak-serve.
func TestSoakOfServing(t *testing.T) {
	long, err := time.ParseDuration(os.Getenv("JEM_SOAK"))
	if err != nil {
		t.Skip("JEM_SOAK doesn't say how long: make soak-serve")
	}
	images, want := officialScores(t)
	s := startServing(t, official+"zip.pt", "--no-access-log", "--queue", "64", "--max-images", "16")
	at := strings.TrimPrefix(s.address, "http://")
	stop, all := make(chan struct{}), sync.WaitGroup{}
	var right, busy, nuisance atomic.Int64
	until := func(do func(i int)) {
		all.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					do(i)
				}
			}
		})
	}
	for range 4 {
		client := &http.Client{Timeout: time.Minute}
		until(func(i int) {
			body, n := inference(images[i%len(images)])
			switch status, got, err := s.ask(client, body, n); {
			case err != nil:
				t.Errorf("a client that behaves: %v", err)
			case status == http.StatusTooManyRequests:
				busy.Add(1)
			case status != http.StatusOK || fmt.Sprint(got) != fmt.Sprint(want[i%len(want)]):
				t.Errorf("status %d, %v, want %v", status, got, want[i%len(want)])
			default:
				right.Add(1)
			}
		})
	}
	for name, annoy := range nuisances {
		until(func(i int) {
			c, err := net.Dial("tcp", at)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			defer c.Close()
			body, n := inference(images[i%len(images)])
			annoy(c, body, n, i)
			nuisance.Add(1)
			time.Sleep(10 * time.Millisecond)
		})
	}
	const goroutines, memory = "go_goroutines", "process_resident_memory_bytes"
	time.Sleep(long / 10)
	threads, resident := s.figure(t, goroutines), s.figure(t, memory)
	time.Sleep(long - long/10)
	t.Logf("with load: goroutines %g then %g, resident %.1f then %.1f MiB", threads, s.figure(t, goroutines), resident/(1<<20), s.figure(t, memory)/(1<<20))
	// The load is the same, so what is held is, too; the collector's own swing, a heap's doubling, is what is let.
	if now := s.figure(t, memory); now > resident+64<<20 {
		t.Errorf("resident memory went from %g to %g bytes", resident, now)
	}
	close(stop)
	all.Wait()
	http.DefaultClient.CloseIdleConnections()
	time.Sleep(3 * time.Second) // streams notice that nobody reads
	if now := s.figure(t, goroutines); now > threads {
		t.Errorf("%g goroutines without load, %g with it", now, threads)
	}
	if code := s.end(); code != exitDone || strings.Contains(s.log.String(), `"panic"`) {
		t.Errorf("exit code %d\n%s", code, s.log)
	}
	t.Logf("%d right answers, %d times asked to come again, %d connections of others", right.Load(), busy.Load(), nuisance.Load())
	if right.Load() == 0 {
		t.Error("no answer at all")
	}
}
