package model

import "math"

// Terms are the values of the loss and what else a training step shows; what did not occur is 0.
type Terms struct {
	L          float64 // the weighted sum
	PX         float64 // mean log p(x⁻) − mean log p(x⁺), x⁻ of the chains
	PYX        float64 // cross-entropy
	PXY        float64 // mean f(x⁻)[y] − mean f(x)[y]
	L2         float64 // mean log p(x⁺)² + mean log p(x⁻)²
	Attacked   float64 // cross-entropy of attacked images
	AttackedPX float64 // mean log p(x̃) of attacked images − mean log p(x⁺)
	BCE        float64 // of data against dreams
	LogPxPos   float64 // mean log p(x⁺), up to log Z
	LogPxNeg   float64 // mean log p(x⁻), up to log Z, of the chains, or of dreams where there are none
	Accuracy   float64 // share of labelled samples whose largest logit is f(x)[y], or of attacked ones where none are clean
}

// Terms computes the values from logits (N,K), row-major, in the order of parts; labels
// holds one label a sample, used in parts that belong to classes only.
func (o Objective) Terms(parts []Part, logits []float32, labels []int32) Terms {
	k := len(logits) / len(labels)
	seen, row := parted{}, 0
	for _, p := range parts {
		s := sum(logits[row*k:(row+p.N)*k], labels[row:row+p.N], k)
		seen = append(seen, partMeans{p.Role, s.scaled(1 / float64(p.N))})
		row += p.N
	}
	var t Terms
	for _, term := range o {
		v := term.value(seen.of(term.On), seen.of(term.Against))
		t.L += float64(term.Weight) * v
		*t.place(term) += v
	}
	chains, dreams := seen.of(ChainPX), seen.of(Dreams)
	t.LogPxPos = seen.of(DataPX).lse
	if t.LogPxNeg = chains.lse; !seen.has(ChainPX) {
		t.LogPxNeg = dreams.lse
	}
	if t.Accuracy = seen.of(Labeled).correct; !seen.has(Labeled) {
		t.Accuracy = seen.of(Attacked).correct
	}
	return t
}

// place is where the value of a term is kept.
func (t *Terms) place(term Term) *float64 {
	switch {
	case term.Kind == ML && term.Against == Attacked:
		return &t.AttackedPX
	case term.Kind == CE && term.On == Attacked:
		return &t.Attacked
	}
	return map[Kind]*float64{CE: &t.PYX, ML: &t.PX, BCE: &t.BCE, Joint: &t.PXY, Square: &t.L2}[term.Kind]
}

// value is a term's own value for the means of its images.
func (t Term) value(on, against means) float64 {
	switch t.Kind {
	case CE:
		return on.lse - on.picked
	case ML:
		return against.lse - on.lse
	case BCE:
		return on.isNone + against.isData
	case Joint:
		return against.picked - on.picked
	}
	return on.lse2 + against.lse2
}

// parted are the means of a batch's parts.
type parted []partMeans

type partMeans struct {
	role Role
	means
}

// of returns the means of the part with the role, 0 where there is none.
func (p parted) of(r Role) means {
	for _, m := range p {
		if m.role&r != 0 {
			return m.means
		}
	}
	return means{}
}

func (p parted) has(r Role) bool {
	for _, m := range p {
		if m.role&r != 0 {
			return true
		}
	}
	return false
}

// means over the samples of a part, or sums.
type means struct {
	lse, lse2       float64 // log p(x) and its square
	picked, correct float64 // f(x)[y], and whether it is the largest
	isData, isNone  float64 // softplus of log p(x) and of −log p(x)
}

func (m means) scaled(f float64) means {
	return means{m.lse * f, m.lse2 * f, m.picked * f, m.correct * f, m.isData * f, m.isNone * f}
}

func sum(logits []float32, labels []int32, k int) (s means) {
	for i, y := range labels {
		row := logits[i*k : (i+1)*k]
		lse := LogSumExp(row)
		s.lse += lse
		s.lse2 += lse * lse
		s.isData += softplus(lse)
		s.isNone += softplus(-lse)
		s.picked += float64(row[y])
		if Argmax(row) == int(y) {
			s.correct++
		}
	}
	return s
}

// softplus is log(1 + exp z) without overflow.
func softplus(z float64) float64 { return max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))) }

// LogSumExp is log Σ exp of one row of logits, in float64 and without overflow.
func LogSumExp(row []float32) float64 {
	largest := float64(row[Argmax(row)])
	var total float64
	for _, v := range row {
		total += math.Exp(float64(v) - largest)
	}
	return largest + math.Log(total)
}

// Argmax is the index of the first largest value.
func Argmax(row []float32) int {
	best := 0
	for i, v := range row {
		if v > row[best] {
			best = i
		}
	}
	return best
}
