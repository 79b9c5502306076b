package attack

import (
	"fmt"
	"math"

	"jem/internal/fault"
)

// Loss is what an attack climbs: it grows as an image's answer gets worse.
type Loss string

// The losses, z the logits of an image with label y, π their descending order.
const (
	// CrossEntropy is −log softmax(z)[y].
	CrossEntropy Loss = "ce"
	// DLR is −(z[y] − max_{i≠y} z[i])/(z[π₁] − z[π₃]), the difference-of-logits ratio (Croce
	// & Hein 2020): unlike the cross-entropy it doesn't change with the logits' scale. It
	// needs three classes.
	DLR Loss = "dlr"
	// Margin is max_{i≠y} z[i] − z[y]: above 0 the answer is wrong.
	Margin Loss = "margin"
)

// check refuses a loss that isn't known or isn't defined for so few classes.
func (l Loss) check(classes int) error {
	switch {
	case l != CrossEntropy && l != DLR && l != Margin:
		return fmt.Errorf("attack loss %q: want %s, %s or %s", l, CrossEntropy, DLR, Margin)
	case l == DLR && classes < 3:
		return fault.Badf("attack loss %s: the network has %d classes, it needs 3", DLR, classes)
	}
	return nil
}

// dlrFloor keeps the DLR finite where the three largest logits are equal, as published.
const dlrFloor = 1e-12

// Value is the loss of one image's logits.
func (l Loss) Value(logits []float32, label int32) float64 {
	switch l {
	case CrossEntropy:
		return crossEntropy(logits, label)
	case Margin:
		return float64(logits[other(logits, label)]) - float64(logits[label])
	}
	first, third := firstAndThird(logits)
	margin := float64(logits[other(logits, label)]) - float64(logits[label])
	return margin / (float64(logits[first]) - float64(logits[third]) + dlrFloor)
}

// Grad writes the derivative of the loss by the logits to d.
func (l Loss) Grad(d, logits []float32, label int32) {
	clear(d)
	rival := other(logits, label)
	switch l {
	case CrossEntropy:
		lse := crossEntropy(logits, label) + float64(logits[label])
		for k, v := range logits {
			d[k] = float32(math.Exp(float64(v) - lse))
		}
		d[label]--
	case Margin:
		d[rival], d[label] = 1, -1
	default:
		first, third := firstAndThird(logits)
		spread := float64(logits[first]) - float64(logits[third]) + dlrFloor
		share := (float64(logits[rival]) - float64(logits[label])) / spread / spread
		d[rival] += float32(1 / spread)
		d[label] -= float32(1 / spread)
		d[first] -= float32(share)
		d[third] += float32(share)
	}
}

// other is the first largest class that isn't the label.
func other(logits []float32, label int32) int {
	best := -1
	for k, v := range logits {
		if k != int(label) && (best < 0 || v > logits[best]) {
			best = k
		}
	}
	return best
}

// firstAndThird are the places of the largest and third largest of at least three logits.
func firstAndThird(logits []float32) (first, third int) {
	order := [3]int{-1, -1, -1}
	for k, v := range logits {
		for i := range order {
			if order[i] < 0 || v > logits[order[i]] {
				copy(order[i+1:], order[i:2])
				order[i] = k
				break
			}
		}
	}
	return order[0], order[2]
}
