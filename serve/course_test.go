package serve_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"jem/backend"
	"jem/predict"
	"jem/predict/predicttest"
	"jem/predict/weights"
	"jem/serve"
	"jem/serve/batch"
	"jem/serve/protocol"
	"jem/serve/verdict"
)

// TestRefusals: the status says whose fault it is, and a sentence what it is.
func TestRefusals(t *testing.T) {
	s := begin(t, serve.Options{Body: 1 << 20, Images: 4, Hosts: []string{"127.0.0.1"}}, nil, verdict.Fitted{})
	one := input("images", "FP32", []int{1, 3, 32, 32}, `"data":`+listed(noise(1)))
	for _, c := range []struct {
		method, path, body string
		header             []string
		status             int
		want               string
	}{
		{"GET", "/v2/nothing", "", nil, 404, "/v2/health/live"},
		{"GET", "/v2/models/other", "", nil, 404, `"jem"`},
		{"GET", "/v2/models/jem/versions/8", "", nil, 404, `"7"`},
		{"DELETE", "/v2/models/jem", "", nil, 405, "GET"},
		{"GET", infer, "", nil, 405, "POST"},
		{"POST", infer, "{", nil, 400, "JSON"},
		{"POST", infer, one + "}", []string{protocol.LengthHeader, "x"}, 400, protocol.LengthHeader},
		{"POST", infer, input("images", "FP32", []int{1, 3, 8, 8}, `"data":`+listed(make([]int, 192))) + "}", nil, 400, "[N,3,32,32]"},
		{"POST", infer, input("images", "FP32", []int{0, 3, 32, 32}, `"data":[]`) + "}", nil, 400, "no images"},
		{"POST", infer, input("images", "FP32", []int{5, 3, 32, 32}, `"data":[]`) + "}", nil, 400, "at most"},
		{"POST", infer, strings.Replace(one, "[", "[", 1) + `,"outputs":[{"name":"beauty"}]}`, nil, 400, "log_px"},
		{"POST", infer, one + `,"outputs":[{"name":"unusual"}]}`, nil, 400, "--rule"},
		{"POST", infer, one + `,"outputs":[{"name":"log_px"},{"name":"log_px"}]}`, nil, 400, "twice"},
		{"POST", infer, one + `,"outputs":[{"name":"log_px","parameters":{"classification":2}}]}`, nil, 400, "classification"},
		{"POST", infer, input("pictures", "BYTES", []int{1}, `"data":["AAAA"]`) + "}", nil, 400, "picture 1"},
		{"POST", infer, input("audio", "FP32", []int{1}, `"data":[1]`) + "}", nil, 400, "pictures"},
		{"POST", infer, input("images", "FP32", []int{1, 3, 32, 32}, `"data":`+strings.Replace(listed(make([]int, pixels)), "0", "255", 1)) + "}", nil, 400, "255"},
		{"POST", infer, strings.Repeat(" ", 2<<20), nil, 413, "1048576"},
		{"POST", infer, "x", []string{"Content-Encoding", "br"}, 415, "gzip"},
		{"POST", infer, "x", []string{"Content-Encoding", "gzip"}, 400, "can't be read"},
		{"GET", "/v2", "", []string{"Host", "elsewhere.example"}, 403, "elsewhere.example"},
		{"POST", infer, one + "}", []string{"Sec-Fetch-Site", "cross-site"}, 403, "other sites"},
	} {
		status, h, text := s.ask(t, c.method, c.path, []byte(c.body), c.header...)
		var said protocol.Failure
		if err := json.Unmarshal(text, &said); status != c.status || err != nil || !strings.Contains(said.Error, c.want) {
			t.Errorf("%s %s %.60s: %d %s, want %d with %q", c.method, c.path, c.body, status, text, c.status, c.want)
		}
		if status == 405 && h.Get("Allow") == "" {
			t.Errorf("%s %s: 405 without Allow", c.method, c.path)
		}
	}
}

// TestAToken is asked for everywhere but for health and for the page, which asks people for it.
func TestAToken(t *testing.T) {
	s := begin(t, serve.Options{Token: "0123456789"}, nil, verdict.Fitted{})
	for path, open := range map[string]bool{"/v2/health/live": true, "/v2/health/ready": true, "/": true, "/page.css": true, "/v2": false, "/v2/models/jem": false, "/metrics": false, "/api/model": false} {
		for token, want := range map[string]int{"": 401, "Bearer 012345678": 401, "Bearer 0123456789": 200, "bearer 0123456789": 200, "0123456789": 401} {
			if open {
				want = 200
			}
			header := []string{"Authorization", token}
			if token == "" {
				header = nil
			}
			if status, _, text := s.ask(t, "GET", path, nil, header...); status != want {
				t.Errorf("%s with %q: %d %s", path, token, status, text)
			}
		}
	}
}

// TestEachAnswerIsToldAndCounted.
func TestEachAnswerIsToldAndCounted(t *testing.T) {
	s := begin(t, serve.Options{}, nil, verdict.Fitted{})
	s.ask(t, "POST", infer, []byte(input("images", "FP32", []int{2, 3, 32, 32}, `"data":`+listed(noise(2)))+"}"))
	s.ask(t, "GET", "/v2/models/other", nil)
	s.mu.Lock()
	told := s.answered
	s.mu.Unlock()
	if len(told) != 2 || told[0].Images != 2 || told[0].Status != 200 || told[0].Bytes == 0 || told[1].Status != 404 || told[1].Fault == nil {
		t.Errorf("told of %+v", told)
	}
	_, _, text := s.ask(t, "GET", "/metrics", nil)
	for _, want := range []string{
		`jem_serve_answers_total{route="POST /v2/models/{name}/infer",status="200"} 1`,
		`jem_serve_answers_total{route="GET /v2/models/{name}",status="404"} 1`,
		"jem_serve_batch_images_sum 2", "jem_serve_ready 1", "go_goroutines",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in the figures", want)
		}
	}
}

// TestReloadsLoseNothing: while networks change, each request is answered whole by one of them, and none is refused.
func TestReloadsLoseNothing(t *testing.T) {
	s := begin(t, serve.Options{}, nil, verdict.Fitted{})
	body := []byte(input("images", "FP32", []int{1, 3, 32, 32}, `"data":`+listed(noise(1))) + `,"outputs":[{"name":"log_px"}]}`)
	ctx, stop := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	versions := make([]map[string]int, 4)
	for i := range versions {
		versions[i] = map[string]int{}
		clients.Go(func() {
			for ctx.Err() == nil {
				status, h, text := s.ask(t, "POST", infer, body)
				if status != http.StatusOK {
					t.Errorf("%d %s", status, text)
					return
				}
				a, _ := read(t, h, text)
				versions[i][a.Version]++
			}
		})
	}
	for i := range 3 {
		err := s.b.Swap(context.Background(), func(d backend.Device, _ *batch.Model, breathe func()) (*batch.Model, error) {
			breathe()
			p, _, err := predict.OpenFile(d, predicttest.OfficialFile(), weights.Options{}, predict.AtMost(8))
			return &batch.Model{Predictor: p, About: serve.About{Version: strconv.Itoa(8 + i)}}, err
		})
		if err != nil {
			t.Error(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	stop()
	clients.Wait()
	if _, _, text := s.ask(t, "GET", "/v2/models/jem/versions/10", nil); !strings.Contains(string(text), `"10"`) {
		t.Errorf("the last one is not served: %s", text)
	}
}

// TestWhatARequestBecomesIsBounded: a small body of many pictures takes the room of their pixels.
func TestWhatARequestBecomesIsBounded(t *testing.T) {
	s := begin(t, serve.Options{Body: 1 << 10, Images: 2}, nil, verdict.Fitted{})
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	body := []byte(input("pictures", "BYTES", []int{1}, `"data":["`+base64.StdEncoding.EncodeToString(file.Bytes())+`"]`) + "}")
	begun, free, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_ = s.b.Do(context.Background(), func(*batch.Model) error { close(begun); <-free; return nil })
	}()
	<-begun
	first := make(chan int, 3)
	for range cap(first) {
		go func() { status, _, _ := s.ask(t, "POST", infer, body); first <- status }()
	}
	if status := <-first; status != 429 { // two have their 12 KiB of 25, and a third one doesn't
		t.Errorf("got %d", status)
	}
	close(free)
	for range cap(first) - 1 {
		if status := <-first; status != 200 {
			t.Errorf("got %d", status)
		}
	}
	<-done
}

// TestFaultsStayHere: what goes wrong on this machine is in its log, and no word of it in an answer.
func TestFaultsStayHere(t *testing.T) {
	s := begin(t, serve.Options{}, nil, verdict.Fitted{Rule: unjudging{}})
	body := []byte(input("images", "FP32", []int{1, 3, 32, 32}, `"data":`+listed(noise(1))) + "}")
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 32, 32))); err != nil {
		t.Fatal(err)
	}
	for path, body := range map[string][]byte{infer: body, "/api/score": file.Bytes()} {
		status, _, text := s.ask(t, "POST", path, body)
		if status != 500 || strings.Contains(string(text), "/srv") || !strings.Contains(string(text), "log") {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.answered {
		if a.Status == 500 && (a.Fault == nil || !strings.Contains(a.Fault.Error(), "/srv")) {
			t.Errorf("the log has %v of %s", a.Fault, a.Path)
		}
	}
}

// unjudging is a rule that can't judge.
type unjudging struct{}

func (unjudging) About() verdict.About { return verdict.About{Score: "px"} }
func (unjudging) Asked() predict.Asked { return predict.Asked{} }
func (unjudging) Judge(*predict.Scores) ([]verdict.Verdict, error) {
	return nil, &os.PathError{Op: "open", Path: "/srv/run", Err: os.ErrPermission}
}

// TestDraining: who asks whether it is ready hears no; what has been asked is answered.
func TestDraining(t *testing.T) {
	s := begin(t, serve.Options{}, nil, verdict.Fitted{})
	s.Drain()
	for path, want := range map[string]int{"/v2/health/ready": 503, "/v2/models/jem/ready": 503, "/v2/health/live": 200, "/v2/models/jem": 200} {
		if status, _, text := s.ask(t, "GET", path, nil); status != want {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}

// failing is a device that fails from the first time on that it is told to.
type failing struct {
	backend.Device
	now *bool
}

func (f failing) Download(dst []float32, src backend.Tensor) error {
	if *f.now {
		return errors.New("card fell off")
	}
	return f.Device.Download(dst, src)
}

// TestABrokenDevice: 503 and not ready from then on, and no word of the device to clients.
func TestABrokenDevice(t *testing.T) {
	broken := false
	s := begin(t, serve.Options{}, func(d backend.Device) backend.Device { return failing{d, &broken} }, verdict.Fitted{})
	body := []byte(input("images", "FP32", []int{1, 3, 32, 32}, `"data":`+listed(noise(1))) + "}")
	if status, _, text := s.ask(t, "POST", infer, body); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	broken = true
	for range 2 {
		if status, h, text := s.ask(t, "POST", infer, body); status != 503 || strings.Contains(string(text), "card") || h.Get("Retry-After") == "" {
			t.Errorf("%d %s", status, text)
		}
	}
	if status, _, _ := s.ask(t, "GET", "/v2/health/ready", nil); status != 503 {
		t.Errorf("ready says %d", status)
	}
}
