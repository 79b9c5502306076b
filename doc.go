// Package jem opens trained Joint Energy-based Models (Grathwohl et al., ICLR 2020) in a Go program: classifiers
// whose logits also define a density over images, so that they say what an image shows, how sure they are, how
// likely such an image is at all, and draw images themselves.
//
//	m, err := jem.Open("runs/mine")                // a run of jem train, or a .pt or .safetensors file
//	scores, err := m.Score(ctx, picture)           // class, confidence, log p(x)
//	samples, err := m.Draw(ctx, jem.EachClass, 10) // by SGLD
//	m.Close()
//
// The module's name is jem, so that the go.mod of another one says where it lies:
//
//	require jem v0.0.0
//	replace jem => ../jem
//
// It computes on the CPU, needs no C library, writes no file, and prints nothing. It trains nothing either: that is
// the program's, cmd/jem. A Model may be used by several goroutines; their calls take turns, since each
// uses all threads. Tensors of gorgonia.org/tensor go through package jem/tensors.
//
// The rest of the tree serves the program, and changes as that does. A newcomer reads train/step/step.go,
// model/jem.go, model/objective.go and sampler/sgld.go. This package's tests hold the tree's structure, too:
// who may import whom (layers_test.go) and one package comment each (pkgdoc_test.go).
package jem
