//go:build mpi && linux && (amd64 || arm64)

package mpi

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"github.com/ebitengine/purego"

	"jem/comm"
)

// handles are what a family of libraries calls the things that MPI names: addresses of its variables in Open
// MPI, fixed numbers elsewhere. Values are from each family's mpi.h.
type handles struct {
	world, float, int64, byte, max, errorsReturn uintptr
	inPlace, ignoreStatus                        uintptr
	funneled                                     uintptr // level of threads
}

// mpich are those of MPICH and of what shares its binary interface, Intel MPI and Cray MPICH among others.
var mpich = handles{world: 0x44000000, float: 0x4c00040a, int64: 0x4c00083a, byte: 0x4c00010d, max: 0x58000001,
	errorsReturn: 0x54000001, inPlace: ^uintptr(0), ignoreStatus: 1, funneled: 1}

// standard are those of the binary interface that MPI 5.0 defines in its chapter 20.
var standard = handles{world: 0x101, float: 0x210, int64: 0x258, byte: 0x247, max: 0x23,
	errorsReturn: 0x143, inPlace: 1, ignoreStatus: 0, funneled: 1024}

// library is an MPI library that has been opened.
type library struct {
	handles
	path    string
	family  string // "Open MPI" or "MPICH"; "" with the standard's binary interface, which any may have
	version string // in words
	calls   map[string]uintptr

	// What functions answer in: part of this struct, hence never on a stack, which moves.
	buffer [16 << 10]byte // MPICH's version texts are the longest, up to 8,192 bytes
	number [2]int32
}

// used are the functions of MPI that are called.
var used = []string{"MPI_Init_thread", "MPI_Get_library_version", "MPI_Comm_rank", "MPI_Comm_size", "MPI_Comm_set_errhandler",
	"MPI_Error_string", "MPI_Ialltoallv", "MPI_Iallgatherv", "MPI_Ibcast", "MPI_Iallreduce", "MPI_Isend", "MPI_Irecv", "MPI_Test",
	"MPI_Cancel", "MPI_Abort", "MPI_Finalize"}

// load opens the first library of the list that is there.
func load(paths []string) (*library, error) {
	// UCX, which some builds bring along, would take over SIGSEGV when it is opened, and with it Go's nil checks.
	if _, set := os.LookupEnv("UCX_ERROR_SIGNALS"); !set {
		os.Setenv("UCX_ERROR_SIGNALS", "")
	}
	var first error
	for _, path := range paths {
		handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_GLOBAL)
		if err != nil {
			if first == nil || exists(path) {
				first = err
			}
			continue
		}
		return link(path, handle)
	}
	return nil, &comm.SetupError{Reason: fmt.Sprintf("no MPI library could be opened (%v); tried %s: install the one of the launcher, or name it by %s=/…/lib/libmpi.so",
		first, strings.Join(paths, ", "), LibraryVariable)}
}

func link(path string, handle uintptr) (*library, error) {
	l := &library{path: path, calls: map[string]uintptr{}}
	for _, name := range used {
		at, err := purego.Dlsym(handle, name)
		if err != nil {
			return nil, &comm.SetupError{Reason: fmt.Sprintf("%s is no MPI library of version 3 or later: %v; %s names another", path, err, LibraryVariable)}
		}
		l.calls[name] = at
	}
	switch world, err := purego.Dlsym(handle, "ompi_mpi_comm_world"); {
	case err == nil && world != 0:
		l.family = "Open MPI"
		if l.handles, err = openMPI(handle); err != nil {
			return nil, err
		}
	case strings.HasPrefix(realName(path), "libmpi_abi."):
		l.handles = standard
	default:
		l.handles, l.family = mpich, "MPICH"
	}
	if err := l.call("MPI_Get_library_version", pointer(&l.buffer[0]), pointer(&l.number[0])); err != nil {
		return nil, err
	}
	l.version = versionIn(l.answer())
	return l, nil
}

// realName is the file's name without the links that lead to it.
func realName(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return filepath.Base(path)
}

func openMPI(handle uintptr) (handles, error) {
	h := handles{inPlace: 1, ignoreStatus: 0, funneled: 1}
	for name, at := range map[string]*uintptr{"ompi_mpi_comm_world": &h.world, "ompi_mpi_float": &h.float, "ompi_mpi_int64_t": &h.int64,
		"ompi_mpi_byte": &h.byte, "ompi_mpi_op_max": &h.max, "ompi_mpi_errors_return": &h.errorsReturn} {
		address, err := purego.Dlsym(handle, name)
		if err != nil {
			return h, &comm.SetupError{Reason: fmt.Sprintf("an Open MPI without %s: %v; %s names another library", name, err, LibraryVariable)}
		}
		*at = address
	}
	return h, nil
}

// answer is the text that a function left behind.
func (l *library) answer() string {
	return strings.ToValidUTF8(string(l.buffer[:max(0, min(int(l.number[0]), len(l.buffer)))]), "?")
}

// pointer is the address of something in the heap, which Go's collector doesn't move. The caller sees to it that
// it stays reachable as long as MPI may use it: part of the library, the engine or an operation under way.
func pointer[T any](at *T) uintptr { return uintptr(unsafe.Pointer(at)) }

// errMPI marks what the library reported.
var errMPI = errors.New("MPI")

// call calls a function of MPI. Its integers, handles and addresses are all passed as machine words.
func (l *library) call(name string, args ...uintptr) error {
	r, _, _ := purego.SyscallN(l.calls[name], args...)
	if code := int32(r); code != 0 {
		return fmt.Errorf("%w: %s: %s", errMPI, name, l.text(code))
	}
	return nil
}

// text is what the library says of an error.
func (l *library) text(code int32) string {
	r, _, _ := purego.SyscallN(l.calls["MPI_Error_string"], uintptr(code), pointer(&l.buffer[0]), pointer(&l.number[0]))
	if int32(r) != 0 || l.answer() == "" {
		return fmt.Sprintf("error %d", code)
	}
	return strings.Join(strings.Fields(l.answer()), " ")
}
