package report

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Settings turns a YAML file of settings into groups, in the file's order: one for each
// key at the top that has keys below, named for it, and one without a name in front for
// the rest. Lists are written on one line; deeper keys are joined by dots.
func Settings(file []byte) ([]Group, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(file, &document); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	if len(document.Content) == 0 {
		return nil, nil
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("settings: line %d: not a mapping of keys", root.Line)
	}
	var single Group
	var groups []Group
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i].Value, root.Content[i+1]
		if value.Kind == yaml.MappingNode {
			groups = append(groups, Group{Name: key, Facts: flatten("", value)})
		} else {
			single.Facts = append(single.Facts, flatten(key, value)...)
		}
	}
	if len(single.Facts) > 0 {
		groups = append([]Group{single}, groups...)
	}
	return groups, nil
}

// flatten returns the facts of a node that stands under a name.
func flatten(name string, node *yaml.Node) (facts []Fact) {
	if node.Kind != yaml.MappingNode {
		return []Fact{{Name: name, Value: oneLine(node)}}
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i].Value
		if name != "" {
			key = name + "." + key
		}
		facts = append(facts, flatten(key, node.Content[i+1])...)
	}
	return facts
}

func oneLine(node *yaml.Node) string {
	switch {
	case node.Kind == yaml.SequenceNode:
	case node.Value == "":
		return `""` // or the page would show nothing
	default:
		return node.Value
	}
	items := make([]string, len(node.Content))
	for i, item := range node.Content {
		items[i] = oneLine(item)
	}
	return strings.Join(items, ", ")
}
