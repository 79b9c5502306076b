package main

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"log"

	"github.com/mmcloughlin/avo/attr"
)

const nosplit = attr.NOSPLIT

func fail(format string, args ...any) { log.Fatalf(format, args...) }

// declare makes struct types of a source file known to avo, which can then look up the
// offsets of their fields. avo's own way, build.Package, needs the whole package to
// compile, kernels included, which is not so while they are being written. So the types
// join the predeclared ones.
func declare(path string, names ...string) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, 0)
	if err != nil {
		fail("%v", err)
	}
	pkg, err := (&types.Config{Importer: importer.Default()}).Check("asm", files, []*ast.File{file}, nil)
	if err != nil {
		fail("%v", err)
	}
	for _, name := range names {
		obj := pkg.Scope().Lookup(name)
		if obj == nil {
			fail("%s declares no %s", path, name)
		}
		public := types.NewTypeName(token.NoPos, nil, name, nil)
		types.NewNamed(public, obj.Type().Underlying(), nil)
		types.Universe.Insert(public)
	}
}
