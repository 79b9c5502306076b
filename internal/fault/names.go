package fault

import (
	"fmt"
	"strings"
)

// maxNames is how many names of a list stand in a message.
const maxNames = 12

// Names are names from files or folders for a message, each as Quote has it, the first ones of many.
func Names(names []string) string {
	var all []string
	for _, n := range names[:min(maxNames, len(names))] {
		all = append(all, Quote(n))
	}
	text := strings.Join(all, ", ")
	if more := len(names) - maxNames; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
