package serve_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"jem/backend"
	"jem/backend/cpu"
	"jem/backend/philox"
	"jem/feed"
	"jem/predict"
	"jem/predict/predicttest"
	"jem/predict/weights"
	"jem/serve"
	"jem/serve/batch"
	"jem/serve/protocol"
	"jem/serve/verdict"
)

const pixels = 3 * 32 * 32

// served is a service in this process.
type served struct {
	*serve.Server
	url string
	b   *batch.Batcher

	mu       sync.Mutex
	answered []serve.Answered
}

// begin serves the network of predicttest, as wrap makes its device.
func begin(t *testing.T, o serve.Options, wrap func(backend.Device) backend.Device, fitted verdict.Fitted) *served {
	t.Helper()
	s := &served{}
	o.Answered = func(a serve.Answered) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.answered = append(s.answered, a)
	}
	s.Server = serve.New(o)
	b, err := batch.Start(func() (backend.Device, *batch.Model, error) {
		d, err := cpu.Open(cpu.Options{Threads: 1, ConvAlgo: "direct"}) // as predicttest.Official does
		if err != nil {
			return nil, nil, err
		}
		dev := backend.Device(d)
		if wrap != nil {
			dev = wrap(dev)
		}
		p, _, err := predict.OpenFile(dev, predicttest.OfficialFile(), weights.Options{}, predict.AtMost(8))
		return dev, &batch.Model{Predictor: p, About: serve.About{Version: "7", Fitted: fitted}}, err
	}, batch.Options{Most: 8, Queue: 64, Watch: s.Watch})
	if err != nil {
		t.Fatal(err)
	}
	s.b = b
	s.Serve(b)
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.Close()
		b.Close(context.Background())
	})
	s.url = server.URL
	return s
}

// noise are images of noise; truth what Score says of them.
func noise(n int) []float32 {
	x := make([]float32, feed.EvalBatch*pixels)
	predicttest.Noise(n).Batch(0, x, make([]int32, feed.EvalBatch))
	return x[:n*pixels]
}

func truth(t *testing.T, x []float32) *predict.Scores {
	t.Helper()
	p := predicttest.Official(t)
	s, err := p.Score(context.Background(), predict.Want{}, len(x)/pixels, func(dst []float32) int {
		n := copy(dst, x)
		x = x[n:]
		return n / pixels
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask sends a request and reads the answer.
func (s *served) ask(t *testing.T, method, path string, body []byte, header ...string) (status int, h http.Header, text []byte) {
	t.Helper()
	r, err := http.NewRequest(method, s.url+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Set(header[i], header[i+1])
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if text, err = io.ReadAll(got.Body); err != nil {
		t.Fatal(err)
	}
	return got.StatusCode, got.Header, text
}

const infer = "/v2/models/jem/infer"

// input is a request's JSON with one input.
func input(name, datatype string, shape []int, rest string) string {
	return fmt.Sprintf(`{"id":"a","inputs":[{"name":%q,"datatype":%q,"shape":%s,%s}]`, name, datatype, strings.ReplaceAll(fmt.Sprint(shape), " ", ","), rest)
}

func listed[T any](values []T) string {
	text, _ := json.Marshal(values) // numbers
	return string(text)
}

// answer is the JSON of an inference.
type answer struct {
	ID      string `json:"id"`
	Version string `json:"model_version"`
	Outputs []struct {
		Name       string
		Datatype   string
		Shape      []int
		Data       json.RawMessage
		Parameters struct {
			Size int `json:"binary_data_size"`
		}
	}
}

// read reads the outputs of an inference by name, binary ones too.
func read(t *testing.T, h http.Header, text []byte) (answer, map[string]any) {
	t.Helper()
	var a answer
	n, rest := len(text), []byte(nil)
	if length := h.Get(protocol.LengthHeader); length != "" {
		n, _ = strconv.Atoi(length)
		rest = text[n:]
	}
	if err := json.Unmarshal(text[:n], &a); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	all := map[string]any{}
	for _, o := range a.Outputs {
		var v any
		switch o.Datatype {
		case "FP32":
			values := []float32(nil)
			if o.Data != nil {
				_ = json.Unmarshal(o.Data, &values)
			}
			for i := 0; i+4 <= o.Parameters.Size; i += 4 {
				values = append(values, math.Float32frombits(binary.LittleEndian.Uint32(rest[i:])))
			}
			v = values
		default:
			_ = json.Unmarshal(o.Data, &v)
		}
		rest = rest[o.Parameters.Size:]
		all[o.Name] = v
	}
	return a, all
}

// like holds answers to images against Score's, to the bit.
func like(t *testing.T, form string, got map[string]any, want *predict.Scores) {
	t.Helper()
	for name, values := range map[string][]float32{"logits": want.Logits, "log_px": want.LogPx, "approx_mass": want.ApproxMass} {
		if g, ok := got[name].([]float32); !ok || len(g) != len(values) {
			t.Errorf("%s: %s is %v", form, name, got[name])
		} else {
			for i := range g {
				if g[i] != values[i] {
					t.Errorf("%s: %s[%d] is %g, Score says %g", form, name, i, g[i], values[i])
					break
				}
			}
		}
	}
}

// TestAnswersAreScores: whichever way images come and answers go, they are Score's.
func TestAnswersAreScores(t *testing.T) {
	s := begin(t, serve.Options{}, nil, verdict.Fitted{})
	x := noise(3)
	want := truth(t, x)
	shape := []int{3, 3, 32, 32}
	head := input("images", "FP32", shape, `"parameters":{"binary_data_size":`+strconv.Itoa(4*len(x))+`}`)
	raw := make([]byte, 0, 4*len(x))
	for _, v := range x {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	for _, form := range []struct {
		name, text string
		rest       []byte
	}{
		{"JSON", input("images", "FP32", shape, `"data":`+listed(x)) + "}", nil},
		{"binary", head + "}", raw},
		{"binary both ways", head + `,"parameters":{"binary_data_output":true},"outputs":[{"name":"logits"},{"name":"approx_mass","parameters":{"binary_data":false}},{"name":"log_px"}]}`, raw},
	} {
		var header []string
		if form.rest != nil {
			header = []string{protocol.LengthHeader, strconv.Itoa(len(form.text))}
		}
		status, h, text := s.ask(t, "POST", infer, append([]byte(form.text), form.rest...), header...)
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", form.name, status, text)
		}
		a, got := read(t, h, text)
		if a.ID != "a" || a.Version != "7" {
			t.Errorf("%s: id %q, version %q", form.name, a.ID, a.Version)
		}
		like(t, form.name, got, want)
	}
}

// TestPicturesAreTheirPixels: a picture's file, and its bytes in either order, are one image.
func TestPicturesAreTheirPixels(t *testing.T) {
	s := begin(t, serve.Options{}, nil, verdict.Fitted{})
	drawn := image.NewRGBA(image.Rect(0, 0, 32, 32))
	planes, last := make([]int, pixels), make([]int, 0, pixels)
	x := make([]float32, pixels)
	for i := range 32 * 32 {
		rgb := [3]uint8{uint8(philox.New(2, 0, philox.Test).IntN(uint64(3*i), 256)), uint8(philox.New(2, 0, philox.Test).IntN(uint64(3*i+1), 256)), uint8(i)}
		drawn.SetRGBA(i%32, i/32, color.RGBA{rgb[0], rgb[1], rgb[2], 255})
		for c, v := range rgb {
			planes[c*1024+i], x[c*1024+i] = int(v), (float32(v)/255-0.5)*2
			last = append(last, int(v))
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, drawn); err != nil {
		t.Fatal(err)
	}
	want := truth(t, x)
	for form, text := range map[string]string{
		"planes":        input("images", "UINT8", []int{1, 3, 32, 32}, `"data":`+listed(planes)),
		"as drawn":      input("images", "UINT8", []int{1, 32, 32, 3}, `"data":`+listed(last)),
		"file":          input("pictures", "BYTES", []int{1}, `"data":["`+base64.StdEncoding.EncodeToString(file.Bytes())+`"]`),
		"file of a row": input("pictures", "BYTES", []int{1, 1}, `"data":[["`+base64.StdEncoding.EncodeToString(file.Bytes())+`"]]`),
	} {
		status, h, answered := s.ask(t, "POST", infer, []byte(text+"}"))
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", form, status, answered)
		}
		_, got := read(t, h, answered)
		like(t, form, got, want)
	}
}

// TestProbabilitiesAreAtTheTemperature and sum to 1; class and index are the largest's.
func TestProbabilitiesAreAtTheTemperature(t *testing.T) {
	s := begin(t, serve.Options{}, nil, verdict.Fitted{Temperature: 2})
	x := noise(1)
	want := truth(t, x)
	_, h, text := s.ask(t, "POST", infer, []byte(input("images", "FP32", []int{1, 3, 32, 32}, `"data":`+listed(x))+"}"))
	_, got := read(t, h, text)
	p, sum := got["probabilities"].([]float32), 0.0
	class, _ := want.Class(0)
	for i, v := range p {
		sum += float64(v)
		if ratio := math.Log(float64(v) / float64(p[class])); math.Abs(ratio-float64(want.Logits[i]-want.Logits[class])/2) > 1e-4 {
			t.Errorf("log p[%d]/p[%d] is %g where the logits say %g", i, class, ratio, float64(want.Logits[i]-want.Logits[class])/2)
		}
	}
	if math.Abs(sum-1) > 1e-5 || got["class_index"].([]any)[0] != float64(class) {
		t.Errorf("probabilities sum to %g, class_index %v, want %d", sum, got["class_index"], class)
	}
}

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
