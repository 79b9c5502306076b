//go:build !unix

package main

import "os"

// resident is not known here.
func resident(*os.ProcessState) int64 { return 0 }

// specialFiles are none: this system has no pipes among its files.
func specialFiles() []hostile { return nil }
