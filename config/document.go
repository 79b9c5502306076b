package config

import (
	"bytes"
	_ "embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// configSource is where the meaning of every setting is written down, once.
//
//go:embed config.go
var configSource string

// Document writes a configuration as YAML, each setting with the comment that config.go
// has about it. Load reads it back.
func Document(c Config) (string, error) {
	var root yaml.Node
	if err := root.Encode(c); err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	about, err := fieldComments(configSource)
	if err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	annotate(&root, "Config", about)
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(&root); err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	return b.String(), enc.Close()
}

// field is a struct's field as its source shows it.
type field struct{ typeName, comment string }

// fieldComments reads the fields of all structs by type and YAML key.
func fieldComments(source string) (map[string]map[string]field, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", source, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	all := map[string]map[string]field{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		all[spec.Name.Name] = map[string]field{}
		for _, f := range spec.Type.(*ast.StructType).Fields.List {
			name := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("yaml")
			typeName, _ := f.Type.(*ast.Ident)
			entry := field{comment: strings.TrimSpace(f.Comment.Text())}
			if typeName != nil {
				entry.typeName = typeName.Name
			}
			all[spec.Name.Name][name] = entry
		}
		return false
	})
	return all, nil
}

// annotate adds the comments to a mapping that was encoded from the type.
func annotate(mapping *yaml.Node, typeName string, about map[string]map[string]field) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		f, value := about[typeName][mapping.Content[i].Value], mapping.Content[i+1]
		switch value.Kind {
		case yaml.MappingNode:
			annotate(value, f.typeName, about)
		case yaml.SequenceNode:
			value.Style = yaml.FlowStyle
			fallthrough
		default:
			value.LineComment = f.comment
		}
	}
}
