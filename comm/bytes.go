package comm

// Tell gives all ranks the root's data, of any length; the others' are ignored.
func Tell(c Comm, data []byte, root int) ([]byte, error) {
	mine := int64(0)
	if c.Rank() == root {
		mine = int64(len(data))
	}
	n, err := c.Max(mine)
	if err != nil {
		return nil, err
	}
	told := make([]byte, n)
	if c.Rank() == root {
		copy(told, data)
	}
	return told, c.Broadcast(told, root).Wait()
}

// Everyone gives all ranks the data of each, by rank: a few KB, with a number for each byte.
func Everyone(c Comm, mine []byte) ([][]byte, error) {
	longest, err := c.Max(int64(len(mine)))
	if err != nil {
		return nil, err
	}
	each := int(longest) + 1 // the length comes first
	flat := make([]float32, each*c.Size())
	row := flat[each*c.Rank():]
	row[0] = float32(len(mine))
	for i, b := range mine {
		row[i+1] = float32(b)
	}
	if err := c.Gather(flat).Wait(); err != nil {
		return nil, err
	}
	all := make([][]byte, c.Size())
	for rank := range all {
		row := flat[each*rank : each*(rank+1)]
		all[rank] = make([]byte, int(row[0]))
		for i := range all[rank] {
			all[rank][i] = byte(row[i+1])
		}
	}
	return all, nil
}
