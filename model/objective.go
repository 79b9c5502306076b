package model

import "math"

// Objective weighs the terms of the loss (Grathwohl et al. 2020, Eq. 8; official
// p_x_weight, p_y_given_x_weight, p_x_y_weight):
//
//	L = w_px  · (mean log p(x⁻) − mean log p(x⁺))
//	  + w_pyx · mean cross-entropy(f(x), y)
//	  + w_pxy · (mean f(x⁻)[y] − mean f(x)[y])
//	  + λ     · (mean log p(x⁺)² + mean log p(x⁻)²)
//
// x⁺ are data, x⁻ samples of the model, held constant; the λ term is not in the paper
// (Du & Mordatch 2019 use it to keep energies near zero).
type Objective struct {
	PX, PYX, PXY float32
	L2           float32
}

// Role says which terms a part of the batch enters; roles combine.
type Role uint8

// The roles.
const (
	DataPX  Role = 1 << iota // x⁺ of log p(x)
	ChainPX                  // x⁻ of log p(x)
	Labeled                  // (x,y) of log p(y|x), and of log p(x,y)
	ChainXY                  // (x⁻,y) of log p(x,y)
)

// Part is a run of consecutive samples with one role. The terms are means over a part, so
// each role occurs in one part only.
type Part struct {
	Role Role
	N    int
}

// Coef returns the coefficients (c₀,c₁,c₂,c₃) of backend.LogitGrad, one row a sample: the
// gradient of L at the logits is (c₀ + c₁·log p(x))·softmax + c₂·onehot(y), because
// ∂LogSumExp = softmax, ∂cross-entropy = softmax − onehot, ∂f[y] = onehot.
func (o Objective) Coef(parts []Part) []float32 {
	var rows []float32
	for _, p := range parts {
		m := 1 / float32(p.N)
		var c [4]float32
		if p.Role&DataPX != 0 {
			c[0], c[1] = c[0]-o.PX*m, c[1]+2*o.L2*m
		}
		if p.Role&ChainPX != 0 {
			c[0], c[1] = c[0]+o.PX*m, c[1]+2*o.L2*m
		}
		if p.Role&Labeled != 0 {
			c[0], c[2] = c[0]+o.PYX*m, c[2]-(o.PYX+o.PXY)*m
		}
		if p.Role&ChainXY != 0 {
			c[2] += o.PXY * m
		}
		rows = append(rows, repeat(p.N, c[:]...)...)
	}
	return rows
}

// Terms are the values of the loss and what else a training step shows; terms whose role
// did not occur are 0.
type Terms struct {
	L        float64 // the weighted sum
	PX       float64 // mean log p(x⁻) − mean log p(x⁺)
	PYX      float64 // cross-entropy
	PXY      float64 // mean f(x⁻)[y] − mean f(x)[y]
	L2       float64 // mean log p(x⁺)² + mean log p(x⁻)²
	LogPxPos float64 // mean log p(x⁺), up to log Z
	LogPxNeg float64 // mean log p(x⁻), up to log Z
	Accuracy float64 // share of labelled samples whose largest logit is f(x)[y]
}

// Terms computes the values from logits (N,K), row-major, in the order of parts; labels
// holds one label a sample, used in labelled parts and those of ChainXY only.
func (o Objective) Terms(parts []Part, logits []float32, labels []int32) Terms {
	k := len(logits) / len(labels)
	var t Terms
	row := 0
	for _, p := range parts {
		s := sum(logits[row*k:(row+p.N)*k], labels[row:row+p.N], k)
		s = s.scaled(1 / float64(p.N))
		if p.Role&DataPX != 0 {
			t.LogPxPos, t.L2 = s.lse, t.L2+s.lse2
		}
		if p.Role&ChainPX != 0 {
			t.LogPxNeg, t.L2 = s.lse, t.L2+s.lse2
		}
		if p.Role&Labeled != 0 {
			t.PYX, t.PXY, t.Accuracy = s.lse-s.picked, t.PXY-s.picked, s.correct
		}
		if p.Role&ChainXY != 0 {
			t.PXY += s.picked
		}
		row += p.N
	}
	t.PX = t.LogPxNeg - t.LogPxPos
	t.L = float64(o.PX)*t.PX + float64(o.PYX)*t.PYX + float64(o.PXY)*t.PXY + float64(o.L2)*t.L2
	return t
}

// sums over the samples of a part.
type sums struct{ lse, lse2, picked, correct float64 }

func (s sums) scaled(f float64) sums { return sums{s.lse * f, s.lse2 * f, s.picked * f, s.correct * f} }

func sum(logits []float32, labels []int32, k int) (s sums) {
	for i, y := range labels {
		row := logits[i*k : (i+1)*k]
		lse := LogSumExp(row)
		s.lse += lse
		s.lse2 += lse * lse
		s.picked += float64(row[y])
		if Argmax(row) == int(y) {
			s.correct++
		}
	}
	return s
}

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
