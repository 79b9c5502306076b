package page_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"jem/backend"
	"jem/backend/philox"
	"jem/predict"
	"jem/sampler"
	"jem/serve/batch"
	"jem/serve/page"
)

// event is one of a stream's, with whatever its document holds.
type event struct {
	name               string
	Step               int
	Images             []string
	LogPx              []float32 `json:"log_px"`
	Seed               uint64
	Slots              []int
	From, Reason, Text string
}

// stream reads events until keep says no, or the stream ends; then it hangs up.
func stream(t *testing.T, method, url string, body []byte, keep func(event) bool) (all []event, status int) {
	t.Helper()
	ctx, hangUp := context.WithCancel(context.Background())
	defer hangUp()
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	name := ""
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			name = text
		}
		if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			e := event{name: name}
			if err := json.Unmarshal([]byte(text), &e); err != nil {
				t.Fatal(err)
			}
			if all = append(all, e); !keep(e) {
				break
			}
		}
	}
	return all, response.StatusCode
}

func everything(event) bool { return true }

// until waits for something that happens soon.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

// TestChainsAreThoseOfTheModel: the last picture of a stream is where the same chains end that are moved by themselves, at
// once, whatever pieces the stream took.
func TestChainsAreThoseOfTheModel(t *testing.T) {
	s := serve(t, batch.Options{}, page.Options{Frame: time.Millisecond})
	for _, query := range []string{"class=3&steps=9&chains=2&seed=7", "steps=9&chains=2&seed=8&from=buffer"} {
		all, _ := stream(t, "GET", s.url+"/api/draw?"+query, nil, everything)
		var steps []int
		for _, e := range all {
			if e.name == "frame" {
				steps = append(steps, e.Step)
			}
		}
		if !slices.Equal(steps, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) || all[0].name != "begin" || all[len(all)-1].Reason != "done" {
			t.Fatalf("%s: frames after %v SGLD steps, ends %+v", query, steps, all[len(all)-1])
		}
		last, want := all[len(all)-2], ends(t, s.Batcher, query, all[0])
		if len(last.LogPx) != 2 || last.LogPx[0] != want[0] || last.LogPx[1] != want[1] {
			t.Errorf("%s: the chains end with log p(x) %v, want %v", query, last.LogPx, want)
		}
	}
}

// ends is log p(x) of the chains that a stream tells of, moved at once.
func ends(t *testing.T, b *batch.Batcher, query string, begins event) []float32 {
	t.Helper()
	var images []float32
	o := predict.SampleOptions{N: 2, Fresh: true, Class: predict.AnyClass, Seed: begins.Seed}
	err := b.Do(context.Background(), func(m *batch.Model) error {
		x := make([]float32, 2*3*32*32)
		if strings.Contains(query, "buffer") {
			for i, slot := range begins.Slots {
				copy(x[i*3*32*32:(i+1)*3*32*32], m.Buffer()[slot*3*32*32:])
			}
		} else {
			o.Class = 3
			sampler.Uniform{}.Fill(x, []int32{3, 3}, philox.New(o.Seed, 0, philox.Restart).At(0, 0))
		}
		w, err := predict.NewWalk(m.Predictor, o, x)
		if err != nil {
			return err
		}
		defer w.Close()
		err = w.Step(9)
		images = slices.Clone(w.Images())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	said, err := b.Submit(context.Background(), images, predict.Asked{})
	if err != nil {
		t.Fatal(err)
	}
	return []float32{said[0].LogPx, said[1].LogPx}
}

// TestRefiningBeginsWithThePicture, and climbs.
func TestRefiningBeginsWithThePicture(t *testing.T) {
	s := serve(t, batch.Options{}, page.Options{Frame: time.Millisecond})
	_, content := picture(t, 50, 50)
	var score scored
	ask(t, "POST", s.url+"/api/score", content, &score)
	all, _ := stream(t, "POST", s.url+"/api/refine?steps=20&seed=1", content, everything)
	first, last := all[1], all[len(all)-2]
	if all[0].From != "picture" || first.Images[0] != score.Picture.Seen || first.LogPx[0] != score.LogPx || first.Step != 0 {
		t.Errorf("the chain begins with log p(x) %v, the picture has %g", first.LogPx, score.LogPx)
	}
	if last.Step != 20 || !(last.LogPx[0] > first.LogPx[0]) {
		t.Errorf("after %d steps log p(x) is %v, was %v", last.Step, last.LogPx, first.LogPx)
	}
}

// TestHangingUpEndsTheChain: a client that goes away leaves no stream behind, and the device has nothing more to do.
func TestHangingUpEndsTheChain(t *testing.T) {
	s := serve(t, batch.Options{}, page.Options{Frame: time.Millisecond})
	stream(t, "GET", s.url+"/api/draw?steps=2000&chains=12", nil, func(e event) bool { return e.Step < 2 })
	until(t, "the stream ends", func() bool { return s.Streams() == 0 })
	turns := s.Count().Turns
	time.Sleep(50 * time.Millisecond)
	if now := s.Count(); now.Turns != turns || now.WaitingTurns != 0 {
		t.Errorf("%d turns after the stream's end", now.Turns-turns)
	}
}

// TestStreamsAreBounded in number and in time, and end when the service does.
func TestStreamsAreBounded(t *testing.T) {
	s := serve(t, batch.Options{}, page.Options{Streams: 1, Frame: 20 * time.Millisecond})
	refused := 0
	stream(t, "GET", s.url+"/api/draw?steps=2000", nil, func(e event) bool {
		if e.name == "frame" {
			_, refused = stream(t, "GET", s.url+"/api/draw", nil, everything)
		}
		return refused == 0
	})
	if refused != http.StatusTooManyRequests {
		t.Errorf("a second stream: %d", refused)
	}
	s = serve(t, batch.Options{}, page.Options{Stream: 300 * time.Millisecond, Frame: 20 * time.Millisecond})
	all, _ := stream(t, "GET", s.url+"/api/draw?steps=2000", nil, everything)
	if end := all[len(all)-1]; end.Reason != "time" || !strings.Contains(end.Text, "of 2000 SGLD steps") {
		t.Errorf("the stream ends %+v", end)
	}
	s = serve(t, batch.Options{}, page.Options{})
	all, _ = stream(t, "GET", s.url+"/api/draw?steps=2000", nil, func(e event) bool {
		if e.Step == 1 || e.name == "frame" {
			s.Stop()
		}
		return true
	})
	if end := all[len(all)-1]; end.Reason != "closing" {
		t.Errorf("the stream ends %+v", end)
	}
	until(t, "all streams end", func() bool { return s.Streams() == 0 })
}

// TestAnotherModelEndsChains of the one before.
func TestAnotherModelEndsChains(t *testing.T) {
	s := serve(t, batch.Options{}, page.Options{Frame: time.Millisecond})
	swapped := false
	all, _ := stream(t, "GET", s.url+"/api/draw?steps=2000", nil, func(e event) bool {
		if e.name == "frame" && !swapped {
			swapped = true
			err := s.Swap(context.Background(), func(d backend.Device, old *batch.Model, _ func()) (*batch.Model, error) {
				return &batch.Model{Predictor: old.Predictor}, nil
			})
			if err != nil {
				t.Error(err)
			}
		}
		return true
	})
	if end := all[len(all)-1]; end.Reason != "replaced" {
		t.Errorf("the stream ends %+v", end)
	}
}

// TestScoresStayQuick: while chains are drawn, a picture is answered between two turns of theirs, not at their end.
func TestScoresStayQuick(t *testing.T) {
	s := serve(t, batch.Options{}, page.Options{Frame: time.Microsecond})
	_, content := picture(t, 32, 32)
	answers := 0
	all, _ := stream(t, "GET", s.url+"/api/draw?steps=200", nil, func(e event) bool {
		if e.name == "frame" && answers < 5 {
			var got scored
			if r := ask(t, "POST", s.url+"/api/score", content, &got); r.StatusCode != http.StatusOK {
				t.Errorf("status %d", r.StatusCode)
			}
			answers++
		}
		return answers < 5
	})
	if last := all[len(all)-1]; last.name != "frame" || last.Step >= 200 {
		t.Errorf("five answers came after %s", fmt.Sprint(last))
	}
}
