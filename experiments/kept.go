package experiments

import (
	"encoding/json"

	"jem/internal/durable"
	"jem/internal/fault"
)

// maxKept bounds a file of results that is read.
const maxKept = 256 << 20

// remeasure is what to do about a damaged measurement.
const remeasure = "remove it to measure again"

// readKept reads what an earlier process kept as JSON. Errors: fs.ErrNotExist where it kept
// nothing; a *fault.Error where the file holds anything else, which says what removing it means.
func readKept(path string, into any, remedy string) error {
	text, err := durable.ReadFile(path, maxKept)
	if err != nil {
		return err
	}
	if json.Unmarshal(text, into) != nil {
		return &fault.Error{Path: path, Kind: fault.ErrBad, Reason: "is damaged: " + remedy}
	}
	return nil
}
