package sysmem

// Online is the number of the machine's cores that run, whether this process may use them or not, as Linux tells it; 0
// elsewhere: not known.
func Online() int { return system("/").online() }
