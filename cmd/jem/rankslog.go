package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"jem/internal/sysmem"
	"jem/train/session"
)

// logFile is a rank's own log, a JSON object a line: what is said before there is a run's folder is kept until then.
type logFile struct {
	mu    sync.Mutex
	file  *os.File
	early []byte
}

// maxEarly bounds what is kept.
const maxEarly = 64 << 10

// Write never fails: a log is no reason to end the work that it tells of.
func (l *logFile) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.file != nil:
		_, _ = l.file.Write(line)
	case len(l.early)+len(line) <= maxEarly:
		l.early = append(l.early, line...)
	}
	return len(line), nil
}

// open begins to write, at the end of what earlier starts wrote.
func (l *logFile) open(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return err
	}
	l.mu.Lock()
	early := l.early
	l.file, l.early = file, nil
	l.mu.Unlock()
	_, _ = l.Write(early)
	return nil
}

func (l *logFile) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		_ = l.file.Close()
		l.file = nil
	}
}

// say writes a line.
func (l *logFile) say(level zapcore.Level, text string, fields ...zap.Field) {
	jsonLogger(l).Log(level, text, fields...)
}

// about is what a rank's log begins with.
func (j *job) about() []zap.Field {
	n, by := sysmem.Processors()
	return []zap.Field{zap.Int("rank", j.ranks.Rank()), zap.Int("ranks", j.ranks.Size()), zap.String("engine", j.ranks.Name()), zap.String("launcher", j.place.By),
		zap.String("host", host()), zap.Int("pid", os.Getpid()), zap.Int("threads", n), zap.String("threads_by", by), zap.String("version", version().Version), zap.String("go", runtime.Version())}
}

// begin opens this rank's log in the folder of the run, and says who it is. Without a log the run goes on; one rank of each
// machine says that there is none.
func (j *job) begin(run *session.Session, stderr io.Writer) {
	if !j.several() || j.ranks.Rank() == 0 {
		return
	}
	j.log.say(zap.InfoLevel, "rank", j.about()...)
	err := j.log.open(run.Path.RankLog(j.ranks.Rank()))
	if err != nil && (j.place.LocalRank == 0 || j.ranks.Rank() == 1) {
		fmt.Fprintln(stderr, j.said(fmt.Sprintf("jem: it goes on without a log of its own: %s", escape(err.Error()))))
	}
}
