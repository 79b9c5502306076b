// Package jem is the root of a trainer for Joint Energy-based Models (Grathwohl et al.,
// ICLR 2020): a classifier whose logits also define a density over images, trained to
// maximise log p(y|x) + log p(x) with samples that SGLD draws from the model itself.
//
// It holds no code, only the tests of the tree's structure: who may import whom
// (layers_test.go) and one package comment each (pkgdoc_test.go). The program is
// cmd/jem; a newcomer reads train/step.go, model/jem.go, model/objective.go and
// sampler/sgld.go.
package jem
