package serving

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jem/predict/predicttest"
)

func TestQuantiles(t *testing.T) {
	times := make([]time.Duration, 100)
	for i := range times {
		times[i] = time.Duration(i+1) * time.Second
	}
	for share, want := range map[float64]float64{0: 1, 0.5: 51, 0.99: 100, 1: 100} {
		if got := quantile(times, share); got != want {
			t.Errorf("quantile %g: %g s, want %g", share, got, want)
		}
	}
}

func TestRatesAreOfTheSizesThatFit(t *testing.T) {
	all, err := Rates(context.Background(), predicttest.Official(t), []int{1, 3, 1000}, true, time.Millisecond)
	if err != nil || len(all) != 2 || all[1].Images != 3 || !all[1].Backward || all[1].Batches < fewest {
		t.Fatalf("%+v, %v", all, err)
	}
	if r := all[0]; r.Seconds < r.Least || r.PerSecond <= 0 || r.PerSecond > 1/r.Least {
		t.Errorf("%+v", r)
	}
	if _, err := Rates(predicttest.EndsAfter(2), predicttest.Official(t), []int{1}, false, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestDriveCounts: all clients ask at once, the first request of each uncounted, and an error of one ends all.
func TestDriveCounts(t *testing.T) {
	var asked atomic.Int64
	var all sync.WaitGroup
	all.Add(5)
	l, err := Drive(context.Background(), 5, 2, 30*time.Millisecond, func(context.Context) error {
		if asked.Add(1) <= 5 { // the first of each: none is answered before all have asked
			all.Done()
			all.Wait()
		}
		time.Sleep(2 * time.Millisecond)
		return nil
	})
	if err != nil || l.Requests != int(asked.Load())-5 || l.P50 < 0.002 || l.PerSecond <= 0 || l.PerSecond > 2*5/0.002 {
		t.Errorf("%+v of %d, %v", l, asked.Load(), err)
	}
	broken := errors.New("broken")
	var n atomic.Int64
	if _, err := Drive(context.Background(), 3, 1, time.Hour, func(context.Context) error {
		if n.Add(1) == 10 {
			return broken
		}
		return nil
	}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// TestRemoteSpeaksTheProtocol to a service that takes notes.
func TestRemoteSpeaksTheProtocol(t *testing.T) {
	var seen struct {
		Inputs, Outputs []tensor
	}
	var size int
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/models/m", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"inputs":[{"name":"picture","datatype":"BYTES","shape":[-1]},{"name":"x","datatype":"FP32","shape":[-1,1,2,2]}]}`)
	})
	mux.HandleFunc("POST /v2/models/m/infer", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		n, err := strconv.Atoi(r.Header.Get("Inference-Header-Content-Length"))
		if err != nil || json.Unmarshal(body[:n], &seen) != nil || r.Header.Get("Authorization") != "Bearer secret" {
			http.Error(w, "no", http.StatusBadRequest)
		}
		size = len(body) - n
	})
	service := httptest.NewServer(mux)
	defer service.Close()
	ctx := context.Background()
	r, err := NewRemote(ctx, service.URL, "m", "secret", 2, []float32{1, 2, 3, 4}, [3]int{1, 2, 2}, []string{"log_px"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Ask(ctx); err != nil || size != 16 || len(seen.Inputs) != 1 || seen.Inputs[0].Name != "x" || seen.Outputs[0].Name != "log_px" || seen.Inputs[0].Parameters["binary_data_size"] != 16. {
		t.Errorf("%+v, %d bytes, %v", seen, size, err)
	}
	if _, err := NewRemote(ctx, service.URL, "other", "", 1, nil, [3]int{}, nil); err == nil {
		t.Error("a model that isn't there was found")
	}
}
