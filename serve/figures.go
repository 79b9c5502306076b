package serve

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"jem/serve/batch"
)

// figures are what Prometheus is told. Names and units stand in docs/serving.md.
type figures struct {
	http.Handler
	registry *prometheus.Registry
	answers  *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	images   prometheus.Histogram
	device   *prometheus.HistogramVec
	waited   prometheus.Histogram
	reloads  *prometheus.CounterVec
}

func newFigures() *figures {
	histogram := func(name, help string, buckets []float64) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{Name: "jem_serve_" + name, Help: help, Buckets: buckets}
	}
	times := prometheus.ExponentialBuckets(0.001, 2, 15) // to 16 s
	f := &figures{
		registry: prometheus.NewRegistry(),
		answers:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jem_serve_answers_total", Help: "Answers by path and HTTP status."}, []string{"route", "status"}),
		seconds:  prometheus.NewHistogramVec(histogram("answer_seconds", "From a request's head to its answer's end.", times), []string{"route"}),
		images:   prometheus.NewHistogram(histogram("batch_images", "Images of a batch on the device.", prometheus.ExponentialBuckets(1, 2, 11))),
		device:   prometheus.NewHistogramVec(histogram("batch_seconds", "Of the device with a batch.", times), []string{"gradient"}),
		waited:   prometheus.NewHistogram(histogram("wait_seconds", "Of a batch's oldest request until the device took it.", times)),
		reloads:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jem_serve_reloads_total", Help: "Newer checkpoints that were opened, or failed."}, []string{"outcome"}),
	}
	f.registry.MustRegister(f.answers, f.seconds, f.images, f.device, f.waited, f.reloads,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	f.Handler = promhttp.HandlerFor(f.registry, promhttp.HandlerOpts{})
	return f
}

// follow shows what a Batcher has to do.
func (f *figures) follow(b *batch.Batcher) {
	gauge := func(name, help string, of func() float64) {
		f.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "jem_serve_" + name, Help: help}, of))
	}
	gauge("waiting_images", "Images that wait for the device.", func() float64 { return float64(b.Count().WaitingImages) })
	gauge("step", "Training steps of the checkpoint that answers.", func() float64 { return float64(b.Model().Step) })
	gauge("ready", "1 while the device answers.", func() float64 { return float64(truth(b.Err() == nil)) })
	f.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "jem_serve_device_seconds_total", Help: "Of the device, with batches and other work."},
		func() float64 { return b.Count().Busy.Seconds() }))
}

func (f *figures) answered(route string, status int, took time.Duration) {
	f.answers.WithLabelValues(route, strconv.Itoa(status)).Inc()
	f.seconds.WithLabelValues(route).Observe(took.Seconds())
}

func (f *figures) batch(b batch.Batch) {
	f.images.Observe(float64(b.Images))
	f.device.WithLabelValues(strconv.FormatBool(b.Backward)).Observe(b.Took.Seconds())
	f.waited.Observe(b.Waited.Seconds())
}

func (f *figures) reloaded(err error) {
	outcome := "opened"
	if err != nil {
		outcome = "failed"
	}
	f.reloads.WithLabelValues(outcome).Inc()
}
