// Package replay repeats training steps recorded from the official PyTorch code and compares:
// chain, losses, every gradient, the parameters after the update. It takes a step.Step, whose
// verbs it calls on what was recorded, and knows no trainer.
//
// A recording is a pair of files: name.json (network, objective, optimiser, loss terms) and
// name.safetensors (inputs, parameters before and after, the chain, outputs, gradients;
// float32, images NCHW, names as in the official state dict). Any step of that form is
// taken, whatever its depth, width, classes, picture size, objective or optimiser.
//
//	recorded, err := Read("testdata/jem_wrn10_1.json")
//	outcome, err := Repeat(device, recorded)
//
// Steps of the recipes (Recipe: any streams, negatives and terms that a configuration may have) were
// recorded from a definition of our own in PyTorch, testdata/recipes/generate.py, and are followed likewise:
//
//	recipe, err := ReadRecipe("testdata/recipes/sada-jem.json")
//	outcome, err := Retrace(device, recipe)
//
// Recorded figures with their inputs (Metrics) are computed again by package metrics, without
// a device.
package replay
