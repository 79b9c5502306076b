package serve_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"jem/backend"
	"jem/backend/cpu"
	"jem/internal/mutation"
	"jem/predict"
	"jem/predict/predicttest"
	"jem/predict/weights"
	"jem/serve"
	"jem/serve/batch"
	"jem/serve/protocol"
)

// documented are the statuses of docs/serving.md that a request's own bytes can bring about: not 429 and 503, which are of
// the service's state, and never 500.
var documented = []int{
	http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
	http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusMovedPermanently, http.StatusTemporaryRedirect,
}

// started is a service with the network of predicttest on one thread.
func started(t *testing.T, o serve.Options) *serve.Server {
	t.Helper()
	s := serve.New(o)
	b, err := batch.Start(func() (backend.Device, *batch.Model, error) {
		d, err := cpu.Open(cpu.Options{Threads: 1})
		if err != nil {
			return nil, nil, err
		}
		p, _, err := predict.OpenFile(d, predicttest.OfficialFile(), weights.Options{}, predict.AtMost(4))
		return d, &batch.Model{Predictor: p, About: serve.About{Version: "1"}}, err
	}, batch.Options{Watch: s.Watch})
	if err != nil {
		t.Fatal(err)
	}
	s.Serve(b)
	t.Cleanup(func() {
		s.Drain()
		if err := b.Close(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	return s
}

// message is a request.
type message struct {
	method, path string
	jsonLength   int // of the body; 0: no bytes follow the JSON
	body         []byte
}

// wire is the message with a body as it goes over the wire.
func (m message) wire(body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: localhost:8080\r\nAuthorization: Bearer 0123456789\r\nContent-Length: %d\r\n", m.method, m.path, len(body))
	if m.jsonLength > 0 {
		fmt.Fprintf(&b, "%s: %d\r\n", protocol.LengthHeader, m.jsonLength)
	}
	b.WriteString("\r\n")
	return append(b.Bytes(), body...)
}

// goodRequests are one of each form that clients send.
func goodRequests(t *testing.T) map[string]message {
	t.Helper()
	pixels, numbers := 3*32*32, []string{}
	raw := make([]byte, 0, 4*pixels)
	for i := range pixels {
		v := float32(i%17)/8 - 1
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		numbers = append(numbers, strconv.FormatFloat(float64(v), 'g', -1, 32))
	}
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 9, 7))); err != nil {
		t.Fatal(err)
	}
	pictures := append(binary.LittleEndian.AppendUint32(nil, uint32(file.Len())), file.Bytes()...)
	const infer, outputs = "/v2/models/jem/infer", `,"outputs":[{"name":"log_px"},{"name":"class","parameters":{"binary_data":true}}]}`
	head := func(name, shape, datatype string, size int) string {
		return fmt.Sprintf(`{"id":"7","inputs":[{"name":%q,"shape":%s,"datatype":%q,"parameters":{"binary_data_size":%d}}]`, name, shape, datatype, size) + outputs
	}
	floats, bytesIn, files := head("images", "[1,3,32,32]", "FP32", len(raw)), head("images", "[2,32,32,3]", "UINT8", 2*pixels), head("pictures", "[1]", "BYTES", len(pictures))
	text := `{"inputs":[{"name":"images","shape":[1,3,32,32],"datatype":"FP32","data":[` + strings.Join(numbers, ",") + `]}]` + outputs
	return map[string]message{
		"JSON":         {"POST", infer, 0, []byte(text)},
		"binary FP32":  {"POST", infer, len(floats), append([]byte(floats), raw...)},
		"binary UINT8": {"POST", infer, len(bytesIn), append([]byte(bytesIn), raw[:2*pixels]...)},
		"a picture":    {"POST", "/v2/models/jem/versions/1/infer", len(files), append([]byte(files), pictures...)},
		"metadata":     {"GET", "/v2/models/jem", 0, nil},
		"ready":        {"GET", "/v2/models/jem/versions/1/ready", 0, nil},
	}
}

// answerTo is what the service says to the bytes of a request; nil where they are no request of HTTP, which net/http
// refuses by itself.
func answerTo(s http.Handler, wire []byte) *http.Response {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(wire)))
	if err != nil {
		return nil
	}
	r.RemoteAddr = "127.0.0.1:1"
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

// TestMutationsOfRequests: damaged requests get a documented status and, but for the page's own, one sentence of JSON; nothing panics, hangs or
// takes memory without bound; the answers that are given are whole. JEM_MUTATIONS=10000 sends so many.
func TestMutationsOfRequests(t *testing.T) {
	s := started(t, serve.Options{Token: "0123456789", Hosts: []string{"localhost"}, Answered: func(a serve.Answered) {
		if a.Panic != nil {
			t.Errorf("%s %q: %s", a.Method, a.Path, a.Panic)
		}
	}})
	seen := map[int]int{}
	try := func(wire []byte) bool {
		r := answerTo(s, wire)
		if r == nil {
			return false
		}
		seen[r.StatusCode]++
		if err := sound(r); err != nil {
			t.Errorf("%v\n%.600q", err, wire)
		}
		return r.StatusCode == http.StatusOK
	}
	forms := goodRequests(t)
	each := mutation.Count(1000) / (2*len(forms) - 2) // those with a body in two ways
	for name, good := range forms {
		wire := good.wire(good.body)
		if r := answerTo(s, wire); r == nil || r.StatusCode != http.StatusOK {
			t.Errorf("%s, undamaged: %+v", name, r)
		}
		results := map[string]mutation.Result{"all of it": mutation.Run(wire, each, try)}
		if good.body != nil { // with a head that fits
			results["the body"] = mutation.Run(good.body, each, func(body []byte) bool { return try(good.wire(body)) })
		}
		for part, r := range results {
			t.Logf("%s, %s damaged: %+v", name, part, r)
			for _, f := range r.Failures {
				t.Errorf("%s, %s damaged: %s", name, part, f)
			}
		}
	}
	t.Logf("answers by status: %v", seen)
}

// sound says what is wrong with an answer to a damaged request.
func sound(r *http.Response) error {
	body, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
		return err
	case !slices.Contains(documented, r.StatusCode):
		return fmt.Errorf("status %d: %.200q", r.StatusCode, body)
	case r.StatusCode >= 400 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"):
		var said protocol.Failure
		if err := json.Unmarshal(body, &said); err != nil || said.Error == "" || strings.Contains(said.Error, "\n") || len(said.Error) > 1000 {
			return fmt.Errorf("status %d without a sentence: %.300q", r.StatusCode, body)
		}
	case r.StatusCode == http.StatusOK && strings.HasPrefix(r.Header.Get("Content-Type"), "application/octet-stream"):
		n, err := strconv.Atoi(r.Header.Get(protocol.LengthHeader))
		if err != nil || n > len(body) || !json.Valid(body[:n]) {
			return fmt.Errorf("%s %s of %d bytes", protocol.LengthHeader, r.Header.Get(protocol.LengthHeader), len(body))
		}
	}
	return nil
}
