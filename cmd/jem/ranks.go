package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"jem/comm"
	"jem/comm/launch"
	"jem/comm/mpi"
	"jem/comm/nccl"
	"jem/config"
	"jem/internal/sysmem"
	"jem/train/session"
)

// job is this process's part in what a launcher has started.
type job struct {
	place launch.Place
	wrong error       // with what the launcher says
	ranks comm.Comm   // nil until enlist
	tried bool        // to open the engine
	log   logFile     // of a rank other than the first
	ended atomic.Bool // why it ends has been said
	cards *cards      // nil: on the processor
	// leave is what ends the process, where an engine must.
	leave func(code int)
}

func newJob() *job {
	j := &job{leave: os.Exit}
	j.place, j.wrong = launch.Read(os.Getenv)
	if j.wrong == nil {
		sysmem.Beside(j.place.LocalSize)
	}
	return j
}

// jobKey is where a command finds its job.
const jobKey = "job"

// jobOf is the job of a command.
func jobOf(c *cli.Context) *job {
	if j, ok := c.App.Metadata[jobKey].(*job); ok {
		return j
	}
	return &job{place: launch.Alone, leave: os.Exit}
}

// ranked are the commands that a launcher may start several times at once.
var ranked = []string{"train", "bench step", "version", "completion", "man"}

// admit refuses commands that know no ranks: each of the processes would do the same work, and write the same files.
func (j *job) admit(command string) error {
	switch {
	case slices.Contains(ranked[2:], command):
		return nil
	case j.wrong != nil:
		return j.wrong
	case j.place.Size > 1 && !slices.Contains(ranked, command):
		return &comm.SetupError{Reason: fmt.Sprintf("%s has started %d processes, and jem %s is for one: start it without %s; jem train and jem bench step take several",
			j.place.By, j.place.Size, command, j.place.By)}
	}
	return nil
}

// Bounds of --rank-timeout.
const (
	patience      = 5 * time.Minute
	leastPatience = time.Second
)

var rankTimeoutFlag = &cli.DurationFlag{Name: "rank-timeout", Value: patience,
	Usage: "with several ranks (mpirun, srun): whoever waits so long for another one ends them all, at least 1s"}

// enlist opens the engine of a run of several ranks, or the one of a single one. wanted reads their configuration.
func (j *job) enlist(c *cli.Context, wanted func(*cli.Context) (config.Config, error)) error {
	timeout := c.Duration(rankTimeoutFlag.Name)
	if timeout < leastPatience {
		return usagef(c, "--%s %s: want at least %s", rankTimeoutFlag.Name, timeout, leastPatience)
	}
	j.tried = true
	notes := func(text string) { j.note(c.App.ErrWriter, text) }
	if j.place.Size > 1 && (nccl.Built || !mpi.Built) {
		cfg, err := wanted(c)
		if nccl.Built || err == nil && cfg.Device.Name == "cuda" {
			return j.enlistCards(cfg, err, timeout, notes)
		}
	}
	return j.enlistProcesses(timeout, notes)
}

// enlistProcesses opens the launcher's MPI, or the engine of a single rank.
func (j *job) enlistProcesses(timeout time.Duration, notes func(string)) error {
	ranks, err := mpi.Open(mpi.Options{Place: j.place, Patience: timeout, Notes: notes})
	if err != nil {
		return err
	}
	j.ranks, j.leave = ranks, ranks.Exit
	if err := j.meetNeighbours(); err != nil {
		return err
	}
	if bound := j.place.Bound(runtime.NumCPU(), sysmem.Online()); bound != "" {
		notes(bound)
	}
	return nil
}

// meetNeighbours learns which ranks are on this machine, and which of its cores each may use: not every launcher tells.
func (j *job) meetNeighbours() error {
	if !j.several() {
		return nil
	}
	all, err := comm.Everyone(j.ranks, []byte(host()+" "+sysmem.Machine()+"\n"+sysmem.Cores()))
	if err != nil {
		return err
	}
	cores, this := neighbours(all, j.ranks.Rank())
	switch n := len(cores); {
	case n < j.place.LocalSize: // which are in containers
		return nil
	case j.place.LocalSize == 0:
		j.place.LocalRank, j.place.LocalSize = this, n
	}
	sysmem.Among(cores, this)
	return nil
}

// neighbours are the cores of the ranks on the machine of one of them, which it is itself among them: what all told is the
// machine's name, a line of its own, and the cores.
func neighbours(all [][]byte, rank int) (cores []string, this int) {
	name, _, _ := bytes.Cut(all[rank], []byte("\n"))
	for other, told := range all {
		if other == rank {
			this = len(cores)
		}
		if their, list, _ := bytes.Cut(told, []byte("\n")); bytes.Equal(their, name) {
			cores = append(cores, string(list))
		}
	}
	return cores, this
}

// note tells what one should know of the engine: the first rank on stderr, others in their logs.
func (j *job) note(stderr io.Writer, text string) {
	if j.ended.Load() {
		return
	}
	if j.place.Rank == 0 {
		fmt.Fprintln(stderr, "jem: "+escape(text))
		return
	}
	j.log.say(zap.WarnLevel, text)
}

// several reports whether there are other ranks.
func (j *job) several() bool { return j.ranks != nil && j.ranks.Size() > 1 }

// soon is within what time of each other ranks come to the same fault: they ask for two seconds how far others are. Whoever
// leaves it to another one to say what is wrong stays so long.
const soon = 3 * time.Second

// linger is for how long a process stays that fails before it has met the other ranks: Open MPI 5's launcher comes to
// a standstill itself where it has to end others that are just getting in touch with it, which they do in the first
// quarter of a second.
const linger = time.Second

// end says what a command came to and returns the exit code: of several ranks that of the first one that
// failed, which alone says so on stderr. All of them come here after the same round; one that can't, since another
// is lost or it has failed alone, takes the whole job with it.
func (j *job) end(err error, stderr io.Writer) int {
	code := exitCode(err)
	if !j.several() {
		switch {
		case err == nil || readerGone(err):
		case j.speaks(err):
			fmt.Fprintln(stderr, message(err))
			if j.place.Size > 1 {
				time.Sleep(linger)
			}
		default:
			time.Sleep(soon) // Open MPI ends all ranks when the first one leaves, before which the one who speaks must have
		}
		return code
	}
	if err != nil && !comm.Lost(err) { // which abort says
		j.log.say(zap.ErrorLevel, message(err))
	}
	speaker, agreed, lost := j.outcome(err, code)
	if lost == nil && speaker == j.ranks.Rank() && !readerGone(err) {
		fmt.Fprintln(stderr, j.said(message(err)))
	}
	if lost == nil {
		lost = j.ranks.Close()
	}
	if lost != nil {
		j.abort(lost, stderr)
		return exitCode(lost) // of an engine whose Abort returns
	}
	j.log.close()
	return agreed
}

// speaks reports whether it is for this process to say what is wrong before the ranks can agree on that: for the first
// of all what is wrong with the command, for the first of each machine what is wrong there, for each whose engine broke
// down what it said, and for all that have only an address in common what each met on its way to that.
func (j *job) speaks(err error) bool {
	peer := (*comm.PeerError)(nil)
	return j.place.Rank == 0 || j.tried && (mpi.Built && j.place.LocalRank == 0 || nccl.Built && j.place.Address != "") ||
		errors.As(err, &peer) && peer.Err != nil
}

// abort ends all ranks, since this one can't go on with the others. Those who miss the same ranks leave it to the first of them to
// say so, and do it themselves if they are still there when it ought to have.
func (j *job) abort(err error, stderr io.Writer) {
	text := message(err)
	j.log.say(zap.ErrorLevel, text)
	if saidElsewhere(err) {
		time.Sleep(soon)
	}
	fmt.Fprintln(stderr, j.said(text))
	j.log.close()
	j.ended.Store(true)
	j.ranks.Abort(exitCode(err), text)
}

// saidElsewhere reports whether a lower rank is there that misses those whom this one misses.
func saidElsewhere(err error) bool {
	var peer *comm.PeerError
	if !errors.As(err, &peer) || peer.Err != nil {
		return false
	}
	missed := 0
	for _, p := range slices.Concat(peer.Silent, peer.Busy) {
		if p.Rank < peer.Rank {
			missed++
		}
	}
	return missed < peer.Rank
}

// said is a message of this rank.
func (j *job) said(text string) string {
	if j.ranks.Rank() == 0 || strings.HasPrefix(text, fmt.Sprintf("jem: rank %d on ", j.ranks.Rank())) {
		return text
	}
	return fmt.Sprintf("jem: rank %d on %s: %s", j.ranks.Rank(), host(), strings.TrimPrefix(text, "jem: "))
}

func host() string {
	name, err := os.Hostname()
	if err != nil {
		return "a machine without a name"
	}
	return name
}

// outcome agrees on the exit code and on who says why: −1 for nobody. lost is this rank's error, where the others
// can't be asked.
func (j *job) outcome(err error, code int) (speaker, agreed int, lost error) {
	if comm.Lost(err) {
		return -1, code, err
	}
	all, lost := comm.Everyone(j.ranks, []byte{blame(err), byte(code)})
	if lost != nil {
		return -1, exitDevice, lost
	}
	speaker, agreed = -1, exitDone
	for rank, most := 0, byte(0); rank < len(all); rank++ {
		if their := all[rank]; their[0] > most {
			speaker, most, agreed = rank, their[0], int(their[1])
		}
	}
	return speaker, agreed, nil
}

// blame is how much an error is this rank's own: 3 for one of which others have only heard, 2 where another rank failed, too,
// as when two of them fail one after the other, 1 where only others did, 0 for none.
func blame(err error) byte {
	elsewhere := (*comm.ElsewhereError)(nil)
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &elsewhere):
		return 3
	case others(err):
		return 1
	}
	return 2
}

// others reports whether an error says nothing but that other ranks failed.
func others(err error) bool {
	if joined, is := err.(interface{ Unwrap() []error }); is {
		return !slices.ContainsFunc(joined.Unwrap(), func(part error) bool { return !others(part) })
	}
	if _, is := err.(*comm.ElsewhereError); is {
		return true // the rank that it names has its own
	}
	within := errors.Unwrap(err)
	return within != nil && others(within)
}

// crashed ends the whole job after a bug in this rank: the others would wait for it.
func (j *job) crashed(why any) {
	if j.several() {
		j.log.say(zap.ErrorLevel, fmt.Sprint(why))
		j.ended.Store(true)
		j.ranks.Abort(exitBug, fmt.Sprintf("rank %d: internal error: %v", j.ranks.Rank(), why))
	}
}

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
