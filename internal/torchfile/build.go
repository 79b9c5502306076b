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

// fill puts values into the list, dict or set below them.
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
	case *set:
		if op == opAddItems {
			return nil
		}
	}
	return m.refuse("pickle fills what is neither list, dict nor set")
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
		if _, twice := d.values[key]; twice {
			return m.refuse("dict key %v appears twice", key)
		}
		d.keys = append(d.keys, key)
		d.values[key] = value
		d.depth = max(d.depth, 1+depth(value))
	}
	return m.bounded(d.depth)
}

// setOf makes an empty set, or one that can't change of the values above the mark.
func (m *machine) setOf(op byte) error {
	if op == opFrozenSet {
		if _, err := m.popMark(); err != nil {
			return err
		}
	}
	m.push(&set{})
	return nil
}

// build accepts the attributes of an object, as the _metadata of a state dict, and forgets them.
func (m *machine) build() error {
	items, err := m.pop(1)
	if err != nil {
		return err
	}
	if len(m.stack) == m.floor() {
		return m.refuse("attributes of an object that isn't there")
	}
	_, isDict := items[0].(*dict)
	switch m.stack[len(m.stack)-1].(type) {
	case other:
		return nil
	case *dict, *tensor:
		if isDict {
			return nil
		}
	}
	return m.refuse("attributes that are no dict, or of something that has none")
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
	t, isStorage := kind.storageType()
	key, isString := id.items[2].(string)
	_, located := id.items[3].(string)
	count, isInt := id.items[4].(int64)
	if !isStorage || !isString || !located || !isInt || count < 0 {
		return m.refuse("storage without type, key, location or number of elements")
	}
	s, err := m.storages.get(key, storage{key: key, kind: t, count: count})
	if err != nil {
		return m.refuse("%s", err)
	}
	m.push(s)
	return nil
}
