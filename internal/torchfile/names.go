package torchfile

import (
	"strings"

	"jem/internal/dtype"
)

// lookup returns an allowed global: a function of calls, or a class or constant that such a function is
// given. What isn't allowed is never looked for anywhere. The list is that of PyTorch's own restricted
// loader, torch.load(weights_only=True).
func lookup(module, name string) (global, bool) {
	switch {
	case module == "__builtin__": // Python 2
		module = "builtins"
	case module == "torch.cuda", module == "torch.storage": // storages of old files from a GPU, untyped ones
		if _, isStorage := storageTypes[name]; isStorage {
			module = "torch"
		}
	}
	g := global(module + " " + name)
	_, isCall := calls[g]
	_, isStorage := g.storageType()
	return g, isCall || isStorage || constants[g] || g.isType()
}

// storageType is the type of numbers of torch.FloatStorage and its like.
func (g global) storageType() (dtype.Type, bool) {
	name, ok := strings.CutPrefix(string(g), "torch ")
	t, known := storageTypes[name]
	return t, ok && known
}

// storageTypes by their name in module torch.
var storageTypes = map[string]dtype.Type{
	"FloatStorage":         dtype.Float32,
	"DoubleStorage":        dtype.Float64,
	"HalfStorage":          dtype.Float16,
	"BFloat16Storage":      dtype.BFloat16,
	"LongStorage":          dtype.Int64,
	"IntStorage":           dtype.Int32,
	"ShortStorage":         dtype.Other("int16", 2),
	"CharStorage":          dtype.Other("int8", 1),
	"ByteStorage":          dtype.Other("uint8", 1),
	"BoolStorage":          dtype.Other("bool", 1),
	"ComplexFloatStorage":  dtype.Other("complex64", 8),
	"ComplexDoubleStorage": dtype.Other("complex128", 16),
	"QInt8Storage":         dtype.Other("qint8", 1),
	"QUInt8Storage":        dtype.Other("quint8", 1),
	"QInt32Storage":        dtype.Other("qint32", 4),
	"QUInt4x2Storage":      dtype.Other("quint4x2", 1),
	"QUInt2x4Storage":      dtype.Other("quint2x4", 1),
	"UntypedStorage":       dtype.Other("bytes", 1),
}

// constants are classes and values that only stand as arguments.
var constants = map[global]bool{
	"torch Tensor": true, "torch per_tensor_affine": true, "torch per_tensor_symmetric": true,
	"torch per_channel_affine": true, "torch per_channel_symmetric": true, "torch per_channel_affine_float_qparams": true,
}

// isType holds for types of numbers, torch.float32: a family and what follows it.
func (g global) isType() bool {
	name, ok := strings.CutPrefix(string(g), "torch ")
	for _, family := range []string{"float", "bfloat", "bcomplex", "int", "uint", "complex", "qint", "quint", "bits"} {
		rest, has := strings.CutPrefix(name, family)
		if ok && has && rest != "" && rest[0] >= '0' && rest[0] <= '9' && len(name) < 32 {
			return true
		}
	}
	return g == "torch bool"
}
