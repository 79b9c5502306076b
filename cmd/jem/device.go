package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"jem/backend"
	"jem/backend/cpu"
	"jem/config"
	"jem/config/settings"
	"jem/internal/choices"
	"jem/internal/sysmem"
)

// openDevice opens the device that a configuration names. What it measures about its
// algorithms is remembered for the next time.
func openDevice(d config.Device) (backend.Device, error) {
	switch d.Name {
	case "cpu":
		if d.Threads == 0 {
			d.Threads, _ = sysmem.Processors()
		}
		memo := &choices.Memo{}
		dev, err := cpu.Open(cpu.Options{ISA: d.ISA, Threads: d.Threads, ConvAlgo: d.ConvAlgo, Precision: d.Precision, Scope: d.PrecisionScope, Memo: memo})
		if err != nil {
			return nil, deviceFault(err.Error())
		}
		memo.Device = choices.Device(dev.Info())
		return dev, nil
	case "cuda":
		return openCUDA(d)
	}
	return nil, deviceFault(fmt.Sprintf("unknown device %q: want cpu or cuda", d.Name))
}

func deviceFault(problem string) error {
	return &settings.Error{Faults: []settings.Fault{{Path: "device", Problem: problem}}}
}

// deviceFlags are those of commands that open a device without a configuration.
func deviceFlags() []cli.Flag {
	return append(in(onDevice,
		&cli.StringFlag{Name: "device", Value: "cpu", Usage: "cpu or cuda"},
		&cli.StringFlag{Name: "cpu-isa", Usage: "instruction set: generic, avx2 or avx512; default: the best"},
		&cli.IntFlag{Name: "threads", Usage: "threads; 0: as many as jem devices says"},
		&cli.StringFlag{Name: "conv-algo", Value: "auto", Usage: "convolutions on the CPU: auto, direct or winograd"},
	), cudaFlags()...)
}

// deviceOf reads deviceFlags.
func deviceOf(c *cli.Context) config.Device {
	d := config.Device{Name: c.String("device"), ISA: c.String("cpu-isa"), Threads: c.Int("threads"), ConvAlgo: c.String("conv-algo")}
	readCUDAFlags(c, &d)
	return d
}

// listed is a device, or why there is none.
type listed struct {
	backend.Info
	Name      string `json:"name"`
	ThreadsBy string `json:"threads_by,omitempty"` // why so many threads
	Available bool   `json:"available"`
	Reason    string `json:"reason,omitempty"`
}

func devicesCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "devices",
		Usage: "list what this binary can compute on",
		Flags: []cli.Flag{jsonFlag},
		Action: func(c *cli.Context) error {
			var all []listed
			for _, d := range []config.Device{{Name: "cpu", ISA: "generic"}, {Name: "cpu", ISA: "avx2"}, {Name: "cpu", ISA: "avx512"}, {Name: "cuda"}} {
				all = append(all, tryDevice(d))
			}
			if c.Bool("json") {
				return printJSON(c, all)
			}
			rows := []string{"DEVICE\tISA\tTHREADS\tMODEL"}
			for _, d := range all {
				if !d.Available {
					rows = append(rows, d.Kind+"\t"+d.ISA+"\t\tnot available: "+d.Reason)
					continue
				}
				rows = append(rows, fmt.Sprintf("%s\t%s\t%d\t%s", d.Kind, d.ISA, d.Threads, d.Model))
			}
			n, by := sysmem.Processors()
			return printTable(c, append(rows, "", fmt.Sprintf("--threads 0 is %d on the CPU, by %s", n, by))...)
		},
	})
}

func tryDevice(d config.Device) listed {
	dev, err := openDevice(d)
	if err != nil {
		reason := err.Error()
		if fault := (*settings.Error)(nil); errors.As(err, &fault) {
			reason = fault.Faults[0].Problem
		}
		return listed{Info: backend.Info{Kind: d.Name, ISA: d.ISA}, Name: d.Name, Reason: reason}
	}
	defer dev.Close()
	l := listed{Info: dev.Info(), Name: dev.Name(), Available: true}
	if l.Kind == "cpu" {
		_, l.ThreadsBy = sysmem.Processors()
	}
	return l
}
