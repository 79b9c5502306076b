package serve_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

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
