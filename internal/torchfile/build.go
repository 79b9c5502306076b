package torchfile

// tuple replaces values by a tuple of them.
func (m *machine) tuple(op byte) (err error) {
	var items []any
	if op == opTuple {
		items, err = m.popMark()
	} else {
		items, err = m.pop(int(op) - opTuple1 + 1)
	}
	if err != nil {
		return err
	}
	t := &tuple{items: items, depth: 1}
	for _, v := range items {
		t.depth = max(t.depth, 1+depth(v))
	}
	m.push(t)
	return m.bounded(t.depth)
}

func (m *machine) bounded(depth int) error {
	if depth > maxDepth {
		return m.refuse("values nested more than %d deep", maxDepth)
	}
	return nil
}

// fill puts values into the list or dict below them.
func (m *machine) fill(op byte) (err error) {
	var items []any
	switch op {
	case opAppend:
		items, err = m.pop(1)
	case opSetItem:
		items, err = m.pop(2)
	default:
		items, err = m.popMark()
	}
	if err != nil {
		return err
	}
	if len(m.stack) == m.floor() {
		return m.refuse("pickle fills a container that isn't there")
	}
	switch c := m.stack[len(m.stack)-1].(type) {
	case *list:
		if op == opAppend || op == opAppends {
			return m.append(c, items)
		}
	case *dict:
		if op == opSetItem || op == opSetItems {
			return m.set(c, items)
		}
	}
	return m.refuse("pickle fills what is neither list nor dict")
}

func (m *machine) append(l *list, items []any) error {
	for _, v := range items {
		l.depth = max(l.depth, 1+depth(v))
	}
	l.items = append(l.items, items...)
	return m.bounded(l.depth)
}

// set adds keys and values in turn.
func (m *machine) set(d *dict, items []any) error {
	if len(items)%2 != 0 {
		return m.refuse("dict with a key that has no value")
	}
	for i := 0; i < len(items); i += 2 {
		key, value := items[i], items[i+1]
		switch key.(type) {
		case string, int64:
		default:
			return m.refuse("dict key that is neither string nor integer")
		}
		if _, twice := d.values[key]; twice {
			return m.refuse("dict key %v appears twice", key)
		}
		d.keys = append(d.keys, key)
		d.values[key] = value
		d.depth = max(d.depth, 1+depth(value))
	}
	return m.bounded(d.depth)
}

// global pushes a name, if it is an allowed one.
func (m *machine) global() error {
	module, err := m.in.line(256, "a module's name")
	if err != nil {
		return err
	}
	name, err := m.in.line(256, "a global's name")
	if err != nil {
		return err
	}
	g, ok := lookup(module, name)
	if !ok {
		return m.refuse("the pickle wants Python's %q: only state dicts are read (OrderedDict, tensors of float32, float64, float16, bfloat16, int64 and int32)", module+"."+name)
	}
	m.push(g)
	return nil
}

// reduce calls one of the two functions that there are.
func (m *machine) reduce() error {
	call, err := m.pop(2)
	if err != nil {
		return err
	}
	args, ok := call[1].(*tuple)
	switch {
	case ok && call[0] == orderedDict && len(args.items) == 0:
		m.push(newDict())
		return nil
	case ok && call[0] == rebuildTensor && len(args.items) == 6:
		return m.tensor(args.items)
	}
	return m.refuse("the pickle calls something other than OrderedDict() and _rebuild_tensor_v2 with 6 arguments")
}

// build accepts the attributes of an OrderedDict, as the _metadata of a state dict, and
// forgets them.
func (m *machine) build() error {
	items, err := m.pop(1)
	if err != nil {
		return err
	}
	if _, ok := items[0].(*dict); !ok || len(m.stack) == m.floor() {
		return m.refuse("attributes that are no dict")
	}
	if _, ok := m.stack[len(m.stack)-1].(*dict); !ok {
		return m.refuse("attributes of something that is no dict")
	}
	return nil
}

// persistent replaces ("storage", type, key, location, elements[, view]) by the storage.
func (m *machine) persistent() error {
	items, err := m.pop(1)
	if err != nil {
		return err
	}
	id, ok := items[0].(*tuple)
	if !ok || len(id.items) != 5 && len(id.items) != 6 || id.items[0] != "storage" || m.storages == nil {
		return m.refuse("reference to something that is no storage")
	}
	if len(id.items) == 6 && id.items[5] != nil {
		return m.refuse("storage that is a view of another, which torch.save has not written since 2017")
	}
	kind, _ := id.items[1].(global)
	e, isStorage := kind.storageType()
	key, isString := id.items[2].(string)
	_, located := id.items[3].(string)
	count, isInt := id.items[4].(int64)
	if !isStorage || !isString || !located || !isInt || count < 0 {
		return m.refuse("storage without type, key, location or number of elements")
	}
	s, err := m.storage(key, e, count)
	m.push(s)
	return err
}

// storage returns the storage of a key, the same for every mention.
func (m *machine) storage(key string, e element, count int64) (*storage, error) {
	if s, ok := m.storages.byKey[key]; ok {
		if s.kind.name != e.name || s.count != count {
			return nil, m.refuse("storage %q is %d×%s here and %d×%s before", key, count, e.name, s.count, s.kind.name)
		}
		return s, nil
	}
	if len(m.storages.list) == maxEntries || count > m.storages.size/e.size {
		return nil, m.refuse("storage %q of %d×%s: more than the file can hold", key, count, e.name)
	}
	s := &storage{key: key, kind: e, count: count}
	m.storages.list, m.storages.byKey[key] = append(m.storages.list, s), s
	return s, nil
}

// tensor pushes _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks).
func (m *machine) tensor(args []any) error {
	s, isStorage := args[0].(*storage)
	offset, isInt := args[1].(int64)
	shape, isShape := wholes(args[2])
	stride, isStride := wholes(args[3])
	_, isBool := args[4].(bool)
	hooks, isDict := args[5].(*dict)
	if !isStorage || !isInt || !isShape || !isStride || !isBool || !isDict || len(hooks.keys) > 0 {
		return m.refuse("tensor whose arguments are not storage, offset, size, stride, requires_grad and no hooks")
	}
	t := &tensor{storage: s, offset: offset, shape: shape, stride: stride}
	if problem := t.check(); problem != "" {
		return m.refuse("tensor %s", problem)
	}
	m.push(t)
	return nil
}

// wholes returns the integers of a tuple, at most maxRank of them.
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
