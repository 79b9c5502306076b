// Package backend is the contract between the mathematics and the machine:
// what a device (the CPU of this machine, an NVIDIA GPU) must be able to do so
// that a Joint Energy-based Model can be trained on it.
//
// The contract is narrow on purpose. A device offers opaque tensors, plans for
// the few operations worth planning (convolution, normalisation) and about
// thirty verbs, destination first, all operands allocated beforehand. Layers,
// backpropagation, samplers and optimisers are written once above it.
//
// Rules every device keeps:
//
//   - Activation gradients assign, parameter gradients accumulate.
//   - An operand may be the destination itself where the operation is pointwise;
//     any other overlap is a caller's mistake.
//   - A caller's mistake (kinds or shapes that do not fit) panics with the name
//     of the operation and the shapes. Trouble with the device itself sticks and
//     is returned by the next Sync or Download, naming the operation.
//   - A device belongs to one goroutine. Results do not depend on how many
//     threads the device uses inside.
//   - Random numbers are a function of their key (see backend/philox), never of
//     hidden state.
//
// The package knows no device: cmd/jem opens one by name.
package backend
