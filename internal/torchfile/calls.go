package torchfile

// calls are the functions that a pickle may call. Each makes a value of its arguments, nothing else.
var calls map[global]func(m *machine, args []any) (any, error)

func init() { // calls refer to each other
	calls = map[global]func(m *machine, args []any) (any, error){
		"collections OrderedDict":                             (*machine).dictOf,
		"collections Counter":                                 (*machine).dictOf,
		"torch._utils _rebuild_tensor":                        (*machine).oldTensor,
		"torch._utils _rebuild_tensor_v2":                     (*machine).tensor,
		"torch._utils _rebuild_parameter":                     (*machine).parameter,
		"torch._utils _rebuild_parameter_with_state":          (*machine).parameter,
		"torch.nn.parameter Parameter":                        (*machine).parameter,
		"torch._utils _rebuild_device_tensor_from_cpu_tensor": (*machine).parameter,
		"torch._tensor _rebuild_from_type_v2":                 (*machine).subclass,
		"torch._utils _rebuild_tensor_v3":                     (*machine).newTensor,
		"torch._utils _rebuild_qtensor":                       aside("a quantised tensor"),
		"torch._utils _rebuild_sparse_tensor":                 aside("a sparse tensor"),
		"torch._utils _rebuild_meta_tensor_no_storage":        aside("a tensor without numbers"),
		"torch._utils _rebuild_wrapper_subclass":              aside("a tensor without numbers"),
		"torch.serialization _get_layout":                     aside("a layout"),
		"torch Size":                                          aside("a torch.Size"),
		"torch device":                                        aside("a torch.device"),
		"_codecs encode":                                      aside("bytes"),
		"builtins bytearray":                                  aside("bytes"),
		"builtins set":                                        aside("a set"),
		"builtins complex":                                    aside("a complex number"),
	}
}

// aside makes something that can't be a weight, whatever its arguments.
func aside(what other) func(*machine, []any) (any, error) {
	return func(*machine, []any) (any, error) { return what, nil }
}

// reduce calls a function.
func (m *machine) reduce() error {
	call, err := m.pop(2)
	if err != nil {
		return err
	}
	v, err := m.call(call[0], call[1])
	m.push(v)
	return err
}

func (m *machine) call(function, arguments any) (any, error) {
	args, isTuple := arguments.(*tuple)
	g, _ := function.(global)
	f := calls[g]
	if f == nil || !isTuple {
		return nil, m.refuse("the pickle calls something other than the functions that make dicts and tensors")
	}
	return f(m, args.items)
}

// dictOf makes a dict of nothing, of pairs, or of another dict.
func (m *machine) dictOf(args []any) (any, error) {
	d := newDict()
	if len(args) == 0 {
		return d, nil
	}
	switch from := args[0].(type) {
	case *dict:
		return from, nil
	case *list:
		for _, p := range from.items {
			pair := pairOf(p)
			if pair == nil {
				return nil, m.refuse("OrderedDict of something other than pairs")
			}
			if err := m.set(d, pair); err != nil {
				return nil, err
			}
		}
		return d, nil
	}
	return nil, m.refuse("dict made of %v", args[0])
}

// pairOf returns the two items of a tuple or list, or nil.
func pairOf(v any) (pair []any) {
	switch v := v.(type) {
	case *tuple:
		pair = v.items
	case *list:
		pair = v.items
	}
	if len(pair) != 2 {
		return nil
	}
	return pair
}

// parameter is (tensor, …): the tensor.
func (m *machine) parameter(args []any) (any, error) {
	if len(args) > 0 {
		switch v := args[0].(type) {
		case *tensor, other:
			return v, nil
		}
	}
	return nil, m.refuse("parameter without a tensor")
}

// subclass is (function, class, arguments, attributes): what the function makes of the arguments. Attributes
// are forgotten, and classes that need others than PyTorch's were refused by name.
func (m *machine) subclass(args []any) (any, error) {
	if len(args) != 4 || args[0] == global("torch._tensor _rebuild_from_type_v2") {
		return nil, m.refuse("tensor of a class without function, class, arguments and attributes")
	}
	return m.call(args[0], args[2])
}

// newTensor is (storage, offset, size, stride, requires_grad, hooks, type[, metadata]), which PyTorch writes for
// types of numbers that networks here don't have: float8, unsigned and smaller ones.
func (m *machine) newTensor(args []any) (any, error) {
	if len(args) < 7 {
		return nil, m.refuse("tensor of a new type with %d arguments, want 7", len(args))
	}
	kind, ok := args[6].(global)
	if !ok || !kind.isType() {
		return nil, m.refuse("tensor without a type of numbers")
	}
	return other("a tensor of " + string(kind[len("torch "):])), nil
}

// oldTensor is (storage, offset, size, stride), as PyTorch wrote before 0.4.
func (m *machine) oldTensor(args []any) (any, error) {
	if len(args) != 4 {
		return nil, m.refuse("tensor with %d arguments, want 4", len(args))
	}
	return m.view(args[0], args[1], args[2], args[3])
}

// tensor is (storage, offset, size, stride, requires_grad, hooks[, metadata]). Metadata say that the numbers
// are to be negated or conjugated when they are next used.
func (m *machine) tensor(args []any) (any, error) {
	if len(args) != 6 && len(args) != 7 {
		return nil, m.refuse("tensor with %d arguments, want 6 or 7", len(args))
	}
	if hooks, isDict := args[5].(*dict); args[5] != nil && (!isDict || len(hooks.keys) > 0) {
		return nil, m.refuse("tensor with hooks, which are programs")
	}
	if len(args) == 7 {
		if d, isDict := args[6].(*dict); args[6] != nil && (!isDict || len(d.keys) > 0) {
			return other("a negated or conjugated view"), nil
		}
	}
	return m.view(args[0], args[1], args[2], args[3])
}

// view is part of a storage, seen as an array.
func (m *machine) view(from, first, size, step any) (any, error) {
	s, isStorage := from.(*storage)
	offset, isInt := first.(int64)
	shape, isShape := wholes(size)
	stride, isStride := wholes(step)
	if !isStorage || !isInt || !isShape || !isStride {
		return nil, m.refuse("tensor whose arguments are not storage, offset, size and stride")
	}
	t := &tensor{storage: s, offset: offset, shape: shape, stride: stride}
	if problem := t.check(); problem != "" {
		return nil, m.refuse("tensor %s", problem)
	}
	return t, nil
}

// wholes returns the integers of a tuple or torch.Size, at most maxRank of them.
func wholes(v any) ([]int64, bool) {
	t, ok := v.(*tuple)
	if !ok || len(t.items) > maxRank {
		return nil, false
	}
	out := make([]int64, len(t.items))
	for i, v := range t.items {
		if out[i], ok = v.(int64); !ok {
			return nil, false
		}
	}
	return out, true
}
