package serving

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// Remote asks a service of the Open Inference Protocol, with tensors in its binary form. It is used by many goroutines.
type Remote struct {
	client  *http.Client
	url     string // of infer
	token   string
	header  int // bytes of the JSON before the tensor
	body    []byte
	outputs int
}

// tensor describes an input or an output of a model.
type tensor struct {
	Name       string         `json:"name"`
	Datatype   string         `json:"datatype,omitempty"`
	Shape      []int          `json:"shape,omitempty"`
	Parameters map[string]any `json:"parameters,omitempty"`
}

// NewRemote asks the service at a URL, http://host:port, what its model takes, and prepares a request of one image, grey
// noise or what pixels hold. Asked for are the outputs named.
func NewRemote(ctx context.Context, base, model, token string, clients int, pixels []float32, shape [3]int, outputs []string) (*Remote, error) {
	r := &Remote{token: token, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients}}, outputs: len(outputs)}
	r.url = strings.TrimSuffix(base, "/") + "/v2/models/" + model
	var about struct {
		Inputs []tensor `json:"inputs"`
	}
	answer, err := r.do(ctx, http.MethodGet, r.url, nil)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(answer, &about); err != nil || len(about.Inputs) == 0 {
		return nil, fmt.Errorf("%s: says nothing of inputs: %v", r.url, err)
	}
	name := about.Inputs[0].Name
	for _, in := range about.Inputs {
		if in.Datatype == "FP32" {
			name = in.Name
		}
	}
	r.url += "/infer"
	return r, r.prepare(name, pixels, shape, outputs)
}

// prepare makes the request that is sent over and over.
func (r *Remote) prepare(name string, pixels []float32, shape [3]int, outputs []string) error {
	var request struct {
		Inputs  []tensor `json:"inputs"`
		Outputs []tensor `json:"outputs"`
	}
	request.Inputs = []tensor{{name, "FP32", append([]int{1}, shape[:]...), map[string]any{"binary_data_size": 4 * len(pixels)}}}
	for _, o := range outputs {
		request.Outputs = append(request.Outputs, tensor{Name: o, Parameters: map[string]any{"binary_data": true}})
	}
	head, err := json.Marshal(request)
	if err != nil {
		return err
	}
	r.header, r.body = len(head), head
	for _, v := range pixels {
		r.body = binary.LittleEndian.AppendUint32(r.body, math.Float32bits(v))
	}
	return nil
}

// Ask sends the request and reads the answer.
func (r *Remote) Ask(ctx context.Context) error {
	_, err := r.do(ctx, http.MethodPost, r.url, r.body)
	return err
}

// Close ends the connections.
func (r *Remote) Close() { r.client.CloseIdleConnections() }

// do sends a request and returns the body of its answer, which must be that all went well.
func (r *Remote) do(ctx context.Context, method, url string, body []byte) ([]byte, error) {
	q, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		q.Header.Set("Content-Type", "application/octet-stream")
		q.Header.Set("Inference-Header-Content-Length", strconv.Itoa(r.header))
	}
	if r.token != "" {
		q.Header.Set("Authorization", "Bearer "+r.token)
	}
	a, err := r.client.Do(q)
	if err != nil {
		return nil, err
	}
	defer a.Body.Close()
	answer, err := io.ReadAll(a.Body)
	if err == nil && a.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.200s", url, a.Status, answer)
	}
	return answer, err
}
