package weights

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"jem/internal/fault"
)

// anchor is the tensor that every network has once; what stands before its name stands before all of them.
const anchor = "class_output.weight"

// official is where the official code keeps the state dict.
const official = "model_state_dict."

// network is the part of a source that is one network, under the names of the official code.
type network struct {
	names  []string // in the source's order
	byName map[string]*entry
	buffer *entry            // replay buffer, or nil
	other  map[string]string // what stands under a name and has no numbers, in words
	notes  []string
	passed []string // names of what is no weight of it
}

// choose finds the network in a source. Names may have anything before them, if only all of a network have
// the same: dicts in dicts ("state_dict"), modules around the network ("model."). Where a source has several
// networks, the averaged one is taken, else the first by rank. Wrappers' names are dropped wherever they stand.
func choose(s source) (*network, error) {
	names := make([]string, len(s.entries))
	for i := range s.entries {
		names[i] = unwrapped(s.entries[i].name)
	}
	found := candidates(s, names)
	if len(found) == 0 {
		return nil, absent(s)
	}
	taken := found[0]
	n := &network{byName: map[string]*entry{}, other: map[string]string{}, notes: taken.note(found[1:])}
	for i := range s.entries {
		e := &s.entries[i]
		rest, inside := taken.holds(found, names[i], e.depth)
		switch {
		case inside && rest == bufferName && e.numbers(), n.buffer == nil && names[i] == bufferName && e.numbers():
			n.buffer = e
		case inside && e.numbers():
			if err := n.add(e, rest); err != nil {
				return nil, err
			}
		default:
			if inside {
				n.other[rest] = e.what
			}
			n.passed = append(n.passed, names[i])
		}
	}
	n.flat()
	return n, nil
}

// wrappers are modules that others put around a network or a part of it, and that add a part to the names:
// torch.compile, DataParallel and averaging, FSDP, activation checkpointing.
var wrappers = map[string]bool{"_orig_mod": true, "module": true, "_fsdp_wrapped_module": true, "_checkpoint_wrapped_module": true}

// unwrapped is a name without the parts that wrappers have added.
func unwrapped(name string) string {
	if !strings.Contains(name, "mod") {
		return name
	}
	return strings.Join(slices.DeleteFunc(strings.Split(name, "."), func(part string) bool { return wrappers[part] }), ".")
}

// candidate is where a network is in a source.
type candidate struct {
	before string // its names
	depth  int    // of its dict
}

// candidates lists the networks of a source, the one to take first.
func candidates(s source, names []string) (found []candidate) {
	for i, name := range names {
		before, ok := strings.CutSuffix(name, anchor)
		c := candidate{before, s.entries[i].depth}
		if ok && (before == "" || strings.HasSuffix(before, ".")) && s.entries[i].numbers() && !slices.Contains(found, c) {
			found = append(found, c)
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(a.rank(), b.rank()) })
	return found
}

// averages is in the names of what a moving average of weights is kept under.
var averages = regexp.MustCompile(`(^|[._])(ema|swa|averaged?|shadow)([._]|$)`)

// rank says in which order networks are preferred: averaged ones, as in runs, then by usual keys.
func (c candidate) rank() int {
	if averages.MatchString(strings.ToLower(c.before)) {
		return 0
	}
	for i, key := range []string{"", "model_state_dict", "state_dict", "model", "net"} {
		if first, _, _ := strings.Cut(c.before, "."); first == key {
			return 1 + i
		}
	}
	return 6
}

// note says which network was taken, where that isn't plain.
func (c candidate) note(others []candidate) []string {
	if len(others) == 0 && (c.before == "" || c.before == official) {
		return nil
	}
	text := "takes the weights under " + c.String()
	if len(others) > 0 {
		var list []string
		for _, o := range others {
			list = append(list, o.String())
		}
		text += ", not those under " + strings.Join(few(list), ", ")
	}
	return []string{text}
}

func (c candidate) String() string {
	if c.before == "" {
		return "no name"
	}
	return fault.Quote(strings.TrimSuffix(c.before, "."))
}

// holds reports whether an entry lies in the candidate's dict, and in none of the others, under its name in there.
func (c candidate) holds(all []candidate, name string, depth int) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(name, c.before)
	if !ok || depth != c.depth {
		return "", false
	}
	for _, o := range all {
		if len(o.before) > len(c.before) && o.depth == depth && strings.HasPrefix(name, o.before) {
			return "", false
		}
	}
	return rest, true
}

func (n *network) add(e *entry, name string) error {
	if before, twice := n.byName[name]; twice {
		return errors.New(fault.Sprintf("has the tensor %q twice, as %q and as %q", name, before.name, e.name))
	}
	n.byName[name] = e
	n.names = append(n.names, name)
	return nil
}

// flat gives the trunk's tensors their f. where a file has them without.
func (n *network) flat() {
	if n.byName["f.conv1.weight"] != nil || n.byName["conv1.weight"] == nil {
		return
	}
	named := map[string]*entry{}
	for i, name := range n.names {
		if !ofHeads(name) {
			n.names[i] = "f." + name
		}
		named[n.names[i]] = n.byName[name]
	}
	n.byName = named
}

// ofHeads holds for the layers beside the trunk f.
func ofHeads(name string) bool {
	return strings.HasPrefix(name, "class_output.") || strings.HasPrefix(name, "energy_output.")
}

// about notes what was passed over, by the first part of the names.
func (n *network) about() []string {
	var parts []string
	for _, name := range n.passed {
		first, _, _ := strings.Cut(name, ".")
		if first = fault.Short(first); !slices.Contains(parts, first) {
			parts = append(parts, first)
		}
	}
	if len(parts) == 0 {
		return n.notes
	}
	return append(n.notes, "passes over what is no weight of the network: "+strings.Join(few(parts), ", "))
}

// wanted are the tensors that tell which network it is, for messages.
const wanted = "want f.conv1.weight, f.layer1.0.conv1.weight, class_output.weight and the others of the official JEM code"

// absent refuses a source without a network, and says what it has.
func absent(s source) error {
	var names []string
	for i := range s.entries {
		if s.entries[i].numbers() {
			names = append(names, fault.Short(s.entries[i].name))
		}
	}
	if len(names) == 0 {
		return errors.New("holds no network of the official JEM code: it has no tensors of floats; " + wanted)
	}
	return errors.New("holds no network of the official JEM code: it has " + strings.Join(few(names), ", ") + "; " + wanted)
}

// few are the first of a list's items, and how many there are besides.
func few(list []string) []string {
	const shown = 5
	if len(list) <= shown {
		return list
	}
	return append(list[:shown:shown], fmt.Sprintf("and %d more", len(list)-shown))
}
