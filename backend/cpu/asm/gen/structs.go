package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"log"

	"github.com/mmcloughlin/avo/gotypes"
	"github.com/mmcloughlin/avo/operand"
)

// declareStructs makes the struct types of a Go file of the product known to the
// signatures of kernels, and so the places of their fields. (avo's own way to do that
// type-checks the whole package, which fails while the kernels that it declares are
// still to be written.)
func declareStructs(file string) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		log.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if _, ok := spec.Type.(*ast.StructType); ok {
			declareType(spec)
		}
		return false
	})
}

// declareType skips structs whose fields have types that aren't built in.
func declareType(spec *ast.TypeSpec) {
	tv, err := types.Eval(token.NewFileSet(), nil, token.NoPos, types.ExprString(spec.Type))
	if err != nil {
		return
	}
	name := types.NewTypeName(token.NoPos, nil, spec.Name.Name, nil)
	types.NewNamed(name, tv.Type, nil)
	types.Universe.Insert(name)
}

// address is where a parameter lies.
func address(c gotypes.Component) operand.Mem {
	b, err := c.Resolve()
	if err != nil {
		log.Fatal(err)
	}
	return b.Addr
}
