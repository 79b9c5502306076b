package scaling

// Bucket is the size in bytes of what train/step sums together.
const Bucket = 8 << 20

// Machine is what is assumed of ranks and of what lies between them.
type Machine struct {
	Rate      float64 `json:"flops"`        // FLOP/s that a rank with many images reaches over a step's convolutions, all else included
	Half      float64 `json:"half"`         // images of a part with which it reaches half of that; 0: the number doesn't matter
	Fixed     float64 `json:"fixed"`        // seconds of a step that don't grow with its images: launches, the update
	Bandwidth float64 `json:"bytes"`        // bytes a second that a rank sends, and receives at the same time
	Latency   float64 `json:"latency"`      // seconds of a message
	Copy      float64 `json:"copy"`         // bytes a second between device and host, once each way; 0: nothing is copied
	Add       float64 `json:"add"`          // bytes a second of a sum's addition; 0: it costs nothing
	Jitter    float64 `json:"jitter"`       // spread of a rank's computing, a share of it, from step to step
	Ring      bool    `json:"ring"`         // sums go round in a ring, as NCCL's; else each rank sends to each at once
	Bucket    int     `json:"bucket_bytes"` // of gradients that are summed together
	Overlap   bool    `json:"overlap"`      // sums begin while the backward pass goes on
}

// rate is what a rank reaches with so many images.
func (m Machine) rate(images int) float64 {
	return m.Rate * float64(images) / (float64(images) + m.Half)
}

// Sum is how long it takes, in seconds, to add up so many bytes over ranks: each sends (W−1)/W of them to
// be added, and (W−1)/W again to have the result everywhere.
func (m Machine) Sum(bytes, ranks int) float64 {
	if ranks == 1 {
		return 0
	}
	moved := 2 * float64(bytes) * float64(ranks-1) / float64(ranks)
	seconds := moved/m.Bandwidth + m.rounds(ranks)*m.Latency
	if m.Copy > 0 {
		seconds += 2 * float64(bytes) / m.Copy
	}
	if m.Add > 0 {
		seconds += float64(bytes) / m.Add
	}
	return seconds
}

// Gather is how long it takes to collect what amounts to so many bytes of all ranks.
func (m Machine) Gather(bytes, ranks int) float64 {
	if ranks == 1 {
		return 0
	}
	return float64(bytes)*float64(ranks-1)/float64(ranks)/m.Bandwidth + m.rounds(ranks)/2*m.Latency
}

// rounds are the messages that a rank sends one after the other in a sum.
func (m Machine) rounds(ranks int) float64 {
	if m.Ring {
		return 2 * float64(ranks-1)
	}
	return 2
}
