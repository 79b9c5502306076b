package serving

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strconv"
)

// Remote asks a service of the Open Inference Protocol the same thing over and over, with a tensor in its binary form. It is
// used by many goroutines.
//
// Each question has a connection to itself, on which the same bytes are written every time: a client that does more would take
// as much of the cores that it shares with the service as that does.
type Remote struct {
	base    *url.URL
	token   string
	request []byte // as it is written
	idle    chan *wire
}

// wire is a connection.
type wire struct {
	net.Conn
	in *bufio.Reader
}

// tensor describes an input or an output of a model.
type tensor struct {
	Name       string         `json:"name"`
	Datatype   string         `json:"datatype,omitempty"`
	Shape      []int          `json:"shape,omitempty"`
	Parameters map[string]any `json:"parameters,omitempty"`
}

// NewRemote asks the service at a URL, http://host:port, what its model takes, and prepares a request of one image, which
// pixels hold, for the outputs named. Up to so many clients keep their connections between two questions.
func NewRemote(ctx context.Context, base, model, token string, clients int, pixels []float32, shape [3]int, outputs []string) (*Remote, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	r := &Remote{base: u.JoinPath("v2", "models", model), token: token, idle: make(chan *wire, clients)}
	input, err := r.input(ctx)
	if err != nil {
		return nil, err
	}
	body, head, err := question(input, pixels, shape, outputs)
	if err != nil {
		return nil, err
	}
	q, err := http.NewRequest(http.MethodPost, r.base.JoinPath("infer").String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	q.Header.Set("Content-Type", "application/octet-stream")
	q.Header.Set("Inference-Header-Content-Length", strconv.Itoa(head))
	r.request, err = r.written(q)
	return r, err
}

// input is the name of the model's input of pixels.
func (r *Remote) input(ctx context.Context) (string, error) {
	q, err := http.NewRequest(http.MethodGet, r.base.String(), nil)
	if err != nil {
		return "", err
	}
	text, err := r.written(q)
	if err != nil {
		return "", err
	}
	answer, err := r.do(ctx, text)
	if err != nil {
		return "", err
	}
	var about struct {
		Inputs []tensor `json:"inputs"`
	}
	if err := json.Unmarshal(answer, &about); err != nil || len(about.Inputs) == 0 {
		return "", fmt.Errorf("%s: says nothing of inputs: %v", r.base, err)
	}
	for _, in := range about.Inputs {
		if in.Datatype == "FP32" {
			return in.Name, nil
		}
	}
	return about.Inputs[0].Name, nil
}

// question is a request's body, and how many bytes of it are JSON.
func question(input string, pixels []float32, shape [3]int, outputs []string) (body []byte, head int, err error) {
	var q struct {
		Inputs  []tensor `json:"inputs"`
		Outputs []tensor `json:"outputs"`
	}
	q.Inputs = []tensor{{input, "FP32", append([]int{1}, shape[:]...), map[string]any{"binary_data_size": 4 * len(pixels)}}}
	for _, o := range outputs {
		q.Outputs = append(q.Outputs, tensor{Name: o, Parameters: map[string]any{"binary_data": true}})
	}
	body, err = json.Marshal(q)
	head = len(body)
	for _, v := range pixels {
		body = binary.LittleEndian.AppendUint32(body, math.Float32bits(v))
	}
	return body, head, err
}

// written is a request as it goes over a connection.
func (r *Remote) written(q *http.Request) ([]byte, error) {
	if r.token != "" {
		q.Header.Set("Authorization", "Bearer "+r.token)
	}
	var b bytes.Buffer
	err := q.Write(&b)
	return b.Bytes(), err
}

// Ask sends the request and reads the answer.
func (r *Remote) Ask(ctx context.Context) error {
	_, err := r.do(ctx, r.request)
	return err
}

// Close ends the connections. Nobody may ask any more.
func (r *Remote) Close() {
	for {
		select {
		case w := <-r.idle:
			w.Close()
		default:
			return
		}
	}
}

// do writes a request and returns the body of its answer, which must be that all went well.
func (r *Remote) do(ctx context.Context, request []byte) ([]byte, error) {
	w, err := r.connected(ctx)
	if err != nil {
		return nil, err
	}
	over := context.AfterFunc(ctx, func() { w.Close() })
	answer, again, err := w.ask(request)
	switch ended := !over(); {
	case ended:
		return nil, context.Cause(ctx)
	case err != nil:
		w.Close()
		return nil, fmt.Errorf("%s: %w", r.base, err)
	case again:
		r.keep(w)
	default:
		w.Close()
	}
	return answer, nil
}

// connected is a connection that nobody else uses.
func (r *Remote) connected(ctx context.Context) (*wire, error) {
	select {
	case w := <-r.idle:
		return w, nil
	default:
	}
	port := r.base.Port()
	if port == "" {
		port = r.base.Scheme // which is what the port is called, too
	}
	at := net.JoinHostPort(r.base.Hostname(), port)
	var c net.Conn
	var err error
	if r.base.Scheme == "https" {
		c, err = (&tls.Dialer{}).DialContext(ctx, "tcp", at)
	} else {
		c, err = (&net.Dialer{}).DialContext(ctx, "tcp", at)
	}
	if err != nil {
		return nil, err
	}
	return &wire{c, bufio.NewReader(c)}, nil
}

func (r *Remote) keep(w *wire) {
	select {
	case r.idle <- w:
	default:
		w.Close()
	}
}

// ask writes a request and reads its answer; again: the connection can be used again.
func (w *wire) ask(request []byte) (answer []byte, again bool, err error) {
	if _, err := w.Write(request); err != nil {
		return nil, false, err
	}
	a, err := http.ReadResponse(w.in, nil)
	if err != nil {
		return nil, false, err
	}
	defer a.Body.Close()
	answer, err = io.ReadAll(a.Body)
	if err == nil && a.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %.200s", a.Status, answer)
	}
	return answer, !a.Close, err
}
