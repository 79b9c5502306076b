package mpi

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// LibraryVariable names the environment variable with the path of the MPI library to use.
const LibraryVariable = "JEM_MPI_LIB"

// The names under which MPI libraries are installed, by family.
var (
	openMPINames  = []string{"libmpi.so.40"}
	standardNames = []string{"libmpi_abi.so.1"}
	mpichNames    = []string{"libmpi.so.12", "libmpich.so.12"}
)

// candidates are the libraries to try, in order: the one that the user names and no other, or those of the launcher's
// installation, or else what the system finds by name. A library must be the launcher's: another one takes every
// process for the only one. pmi is the server that waits for this process, see launch.Place.
func candidates(named, pmi string, launchers []string) (paths []string) {
	if named != "" {
		return []string{named}
	}
	names := slices.Concat(openMPINames, mpichNames, standardNames)
	if pmi == "pmi" {
		names = slices.Concat(standardNames, mpichNames, openMPINames)
	}
	for _, program := range launchers {
		root := filepath.Dir(filepath.Dir(program))
		for _, lib := range []string{"lib", "lib64"} {
			for _, name := range names {
				if path := filepath.Join(root, lib, name); exists(path) {
					paths = append(paths, path)
				}
			}
		}
	}
	return append(paths, names...)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// programs are those that start ranks, on this machine or for a launcher on another.
var programs = []string{"mpirun", "mpiexec", "mpiexec.hydra", "orterun", "orted", "prterun", "prte", "prted", "hydra_pmi_proxy"}

// launchersAbove are the launcher's programs among the parents of a process, nearest first.
func launchersAbove(proc string, pid int) (found []string) {
	const generations = 8 // launcher, its daemon, a shell or two
	for range generations {
		if exe, err := os.Readlink(filepath.Join(proc, strconv.Itoa(pid), "exe")); err == nil && slices.Contains(programs, filepath.Base(exe)) {
			found = append(found, exe)
		}
		if pid = parentOf(proc, pid); pid <= 1 {
			break
		}
	}
	return found
}

// parentOf is the number of a process's parent, 0 if that can't be read.
func parentOf(proc string, pid int) int {
	text, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0
	}
	// PID (NAME) STATE PARENT …, where the name may hold anything.
	after := string(text)[strings.LastIndexByte(string(text), ')')+1:]
	if f := strings.Fields(after); len(f) > 1 {
		parent, _ := strconv.Atoi(f[1])
		return parent
	}
	return 0
}
