package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Layer is one source of settings.
type Layer struct {
	entries []entry
	faults  faults // of reading it
}

// entry is one key with its value, before the struct has been asked what it is.
type entry struct {
	where string
	path  string
	text  string
	items []string // elements of a YAML list
	list  bool
	group bool // a YAML mapping: the entries below it follow
}

// Option is the layer of one path=value option; where names the flag it came from.
func Option(where, text string) Layer {
	var l Layer
	path, value, found := strings.Cut(text, "=")
	if path = strings.TrimSpace(path); !found || path == "" {
		l.faults.add(where, "", fmt.Sprintf("%q: want KEY=VALUE, as in train.batch=32", short(text)))
		return l
	}
	l.entries = []entry{{where: where, path: path, text: strings.TrimSpace(value)}}
	return l
}

// maxFile bounds a YAML file, in bytes: a configuration has 4 KiB.
const maxFile = 1 << 20

// File is the layer of a YAML file. One that doesn't exist, or is no file of a
// configuration's size, is a fault like others; one that can't be read is an error of its
// own kind. Pipes are refused: to open one would wait for its writer.
func File(name string) (Layer, error) {
	data, l, err := readFile(name)
	if err != nil || len(l.faults) > 0 {
		return l, err
	}
	return YAML(name, data), nil
}

// FileList are the layers of a YAML file's list, which stands alone under a key: one for each of its
// mappings. Errors: a *Error where it has none; of the file system.
func FileList(name, key string) ([]Layer, error) {
	data, l, err := readFile(name)
	if err != nil {
		return nil, err
	}
	if err := l.faults.err(); err != nil {
		return nil, err
	}
	return list(name, key, data)
}

// list is FileList of what has been read.
func list(name, key string, data []byte) (all []Layer, err error) {
	var l Layer
	root := l.document(name, data)
	if root != nil && (root.Kind != yaml.MappingNode || len(root.Content) != 2 || root.Content[0].Value != key || root.Content[1].Kind != yaml.SequenceNode) {
		root = nil
	}
	if root == nil && len(l.faults) == 0 {
		l.faults.add(name, "", "want a list under "+key+": and nothing else")
	}
	if err := l.faults.err(); err != nil {
		return nil, err
	}
	for _, item := range root.Content[1].Content {
		var one Layer
		one.read(name, "", item)
		all = append(all, one)
	}
	return all, nil
}

// readFile reads a YAML file. What is wrong with it is in the layer's faults, as File says.
func readFile(name string) (data []byte, l Layer, err error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.faults.add(name, "", "there is no such file")
		return nil, l, nil
	case err != nil:
		return nil, l, fmt.Errorf("read settings: %w", err)
	case !info.Mode().IsRegular():
		l.faults.add(name, "", "is a folder, pipe or device: want a YAML file")
		return nil, l, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, l, fmt.Errorf("read settings: %w", err)
	}
	defer f.Close() // nothing was written
	if data, err = io.ReadAll(io.LimitReader(f, maxFile+1)); err != nil {
		return nil, l, fmt.Errorf("read settings: %w", err)
	}
	if len(data) > maxFile {
		l.faults.add(name, "", fmt.Sprintf("more than %d bytes: not a configuration", maxFile))
	}
	return data, l, nil
}

// yamlLine finds the place in a message of the YAML parser.
var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// YAML is the layer of a YAML document; name stands for it in messages.
func YAML(name string, data []byte) Layer {
	var l Layer
	if root := l.document(name, data); root != nil {
		l.read(name, "", root)
	}
	return l
}

// document is the one node of a YAML document; nil where there is none.
func (l *Layer) document(name string, data []byte) *yaml.Node {
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	err := dec.Decode(&doc)
	switch {
	case errors.Is(err, io.EOF): // nothing but comments
		return nil
	case err != nil:
		where := name
		if m := yamlLine.FindStringSubmatch(err.Error()); len(m) > 1 && m[1] != "" {
			where += ":" + m[1]
		}
		l.faults.add(where, "", "not valid YAML: "+short(yamlLine.ReplaceAllString(err.Error(), "")))
		return nil
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		l.faults.add(name, "", "more than one YAML document: want a single one")
	}
	return doc.Content[0]
}

// read adds the entries of a mapping.
func (l *Layer) read(name, prefix string, node *yaml.Node) {
	where := func(n *yaml.Node) string { return fmt.Sprintf("%s:%d", name, n.Line) }
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return
	}
	if node.Kind != yaml.MappingNode {
		l.faults.add(where(node), prefix, "want keys with values, as in batch: 32")
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		e := entry{where: where(key), path: join(prefix, key.Value), text: value.Value}
		switch value.Kind {
		case yaml.MappingNode:
			e.group = true
		case yaml.SequenceNode:
			e.list = true
			e.items = l.items(e, value)
		case yaml.AliasNode:
			l.faults.add(e.where, e.path, "YAML aliases are not supported: write the value out")
			continue
		}
		if value.Tag == "!!null" {
			e.text = ""
		}
		l.entries = append(l.entries, e)
		if e.group {
			l.read(name, e.path, value)
		}
	}
}

func (l *Layer) items(e entry, list *yaml.Node) []string {
	var items []string
	for _, n := range list.Content {
		if n.Kind != yaml.ScalarNode {
			l.faults.add(e.where, e.path, "want a list of single values")
			return nil
		}
		items = append(items, n.Value)
	}
	return items
}

// Paths are the settings that the layer has, in its order.
func (l Layer) Paths() (paths []string) {
	for _, e := range l.entries {
		if !e.group {
			paths = append(paths, e.path)
		}
	}
	return paths
}

// Take removes a top-level key that is not a setting from the layer and returns its text.
func (l *Layer) Take(key string) (text string, found bool) {
	for i, e := range l.entries {
		if e.path == key && !e.group && !e.list {
			l.entries = append(l.entries[:i:i], l.entries[i+1:]...)
			return e.text, true
		}
	}
	return "", false
}
