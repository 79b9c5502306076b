//go:build cuda && linux && amd64

package nccl

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"github.com/ebitengine/purego"

	"jem/comm"
)

// Results of NCCL that are not errors. The others are an open list, which grows with versions; the library has words
// for them.
const (
	resultDone       = 0
	resultInProgress = 7
)

// Types and operations, as nccl.h numbers them.
const (
	typeInt8    = 0
	typeFloat32 = 7
	operatorSum = 0
)

// config is ncclConfig_t as it was in version 2.14, the first with non-blocking communicators: later libraries take
// what is not in it as left to them.
type config struct {
	size           uint64
	magic, version uint32
	blocking       int32
	_              int32
}

const (
	configMagic   = 0xcafebeef
	oldestVersion = 21400
)

// polled is the configuration of a communicator whose calls don't wait.
func polled() *config {
	return &config{size: uint64(unsafe.Sizeof(config{})), magic: configMagic, version: oldestVersion, blocking: 0}
}

// library is an NCCL library that has been opened.
type library struct {
	path    string
	version int
	calls   map[string]uintptr
	// init takes the id by value, which a list of words can't.
	init func(comm *uintptr, size int32, id struct{ id id }, rank int32, config *config) int32

	// What functions answer in: part of this struct, hence never on a stack, which moves.
	number [2]int32
}

// used are the functions of NCCL that are called.
var used = []string{"ncclGetVersion", "ncclGetUniqueId", "ncclCommInitRankConfig", "ncclCommGetAsyncError", "ncclCommAbort", "ncclCommFinalize",
	"ncclCommDestroy", "ncclAllGather", "ncclBroadcast", "ncclAllReduce", "ncclGetErrorString", "ncclGetLastError"}

// open opens the library that the variable names, or else the system's.
func open() (*library, error) {
	// One algorithm and one protocol add up in one order: the same ranks on the same machines get the same bits again.
	for name, value := range map[string]string{"NCCL_ALGO": "Ring", "NCCL_PROTO": "Simple"} {
		if _, set := os.LookupEnv(name); !set {
			os.Setenv(name, value)
		}
	}
	path := os.Getenv(LibraryVariable)
	if path == "" {
		path = "libnccl.so.2"
	}
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, &comm.SetupError{Reason: fmt.Sprintf("no NCCL library could be opened: %v; install NCCL 2.14 or later (Python's package nvidia-nccl-cu13 has it), and name it by %s=/…/libnccl.so.2 or LD_LIBRARY_PATH", err, LibraryVariable)}
	}
	l := &library{path: path}
	if l.calls, err = symbols(handle, used); err != nil {
		return nil, &comm.SetupError{Reason: fmt.Sprintf("%s is no NCCL library of version 2.14 or later: %v; %s names another", path, err, LibraryVariable)}
	}
	purego.RegisterFunc(&l.init, l.calls["ncclCommInitRankConfig"])
	if err := l.call(0, "ncclGetVersion", pointer(&l.number[0])); err != nil {
		return nil, err
	}
	if l.version = int(l.number[0]); l.version < oldestVersion {
		return nil, &comm.SetupError{Reason: fmt.Sprintf("%s is NCCL %s: 2.14 is the oldest that can be used; %s names another", path, l.words(), LibraryVariable)}
	}
	return l, nil
}

func symbols(handle uintptr, names []string) (map[string]uintptr, error) {
	at := map[string]uintptr{}
	for _, name := range names {
		var err error
		if at[name], err = purego.Dlsym(handle, name); err != nil {
			return nil, err
		}
	}
	return at, nil
}

// words is the version in words, as in 2.32.3.
func (l *library) words() string {
	if l.version < 10000 { // as versions before 2.9 are numbered
		return fmt.Sprintf("%d.%d.%d", l.version/1000, l.version/100%10, l.version%100)
	}
	return fmt.Sprintf("%d.%d.%d", l.version/10000, l.version/100%100, l.version%100)
}

// pointer is the address of something in the heap, which Go's collector doesn't move. The caller sees to it that
// it stays reachable as long as the library may use it.
func pointer[T any](at *T) uintptr { return uintptr(unsafe.Pointer(at)) }

// errNCCL marks what the library reported.
var errNCCL = errors.New("NCCL")

// call calls a function of NCCL. A communicator, 0 if there is none yet, is asked what was wrong. A call that goes on
// by itself is no error.
func (l *library) call(communicator uintptr, name string, args ...uintptr) error {
	r, _, _ := purego.SyscallN(l.calls[name], args...)
	return l.result(communicator, name, int32(r))
}

func (l *library) result(communicator uintptr, name string, code int32) error {
	if code == resultDone || code == resultInProgress {
		return nil
	}
	return fmt.Errorf("%w: %s: %s", errNCCL, name, l.text(communicator, code))
}

// text is what the library says of a result, and of what it met last.
func (l *library) text(communicator uintptr, code int32) string {
	r, _, _ := purego.SyscallN(l.calls["ncclGetErrorString"], uintptr(code))
	said := fmt.Sprintf("%s (%d)", text(r), code)
	r, _, _ = purego.SyscallN(l.calls["ncclGetLastError"], communicator)
	if more := text(r); more != "" {
		said += ", " + more
	}
	return said
}

// text is a string of C's, in one line.
func text(at uintptr) string {
	const most = 1 << 10
	if at == 0 {
		return ""
	}
	var b []byte
	first := *(*unsafe.Pointer)(unsafe.Pointer(&at)) // memory of C's
	for n := 0; n < most; n++ {
		c := *(*byte)(unsafe.Add(first, n))
		if c == 0 {
			break
		}
		b = append(b, c)
	}
	return strings.Join(strings.Fields(strings.ToValidUTF8(string(b), "?")), " ")
}
