package main

import (
	"io"

	"jem/train"
)

func report(w io.Writer, model string, c train.Config, k work) {}
