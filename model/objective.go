package model

// Role says what a part of the batch is to the loss; roles combine.
type Role uint8

// The roles.
const (
	DataPX   Role = 1 << iota // x⁺ of log p(x)
	ChainPX                   // x⁻ of log p(x)
	Labeled                   // (x,y) of log p(y|x), and of log p(x,y)
	ChainXY                   // (x⁻,y) of log p(x,y)
	Attacked                  // (x̃,y): images moved so that their class is hard to tell
	Dreams                    // x⁻ that moved from images of elsewhere towards a class
)

// Part is a run of consecutive samples with one role. The terms are means over a part, so
// each role occurs in one part only.
type Part struct {
	Role Role
	N    int
}

// Kind is a term's form. x⁺ are the images that it is on, x⁻ those that it is against, all of
// them held constant; means are over images.
type Kind uint8

const (
	CE     Kind = iota // cross-entropy(f(x⁺), y): −log p(y|x) (Grathwohl et al. 2020, Eq. 8)
	ML                 // log p(x⁻) − log p(x⁺), whose gradient is that of −log p(x⁺) (Eq. 2)
	BCE                // softplus(−log p(x⁺)) + softplus(log p(x⁻)): log p(x) as the logit of "x is data" (DAT, arXiv 2510.13872)
	Joint              // f(x⁻)[y] − f(x⁺)[y], whose gradient is that of −log p(x⁺,y)
	Square             // log p(x⁺)² + log p(x⁻)²: keeps energies near 0 (Du & Mordatch 2019)
)

// Term is one weighted term of the loss.
type Term struct {
	Kind        Kind
	Weight      float32
	On, Against Role // 0: none
}

// Objective is the loss, the weighted sum of its terms. Which terms make which published
// recipe is configuration (presets); official p_x_weight, p_y_given_x_weight and p_x_y_weight are
// the weights of ML, CE and Joint.
type Objective []Term

// on returns the coefficients (c₀,c₁,c₂,c₃) of backend.LogitGrad that a term of weight w gives an
// image x⁺: its gradient at the logits is (c₀ + c₁·log p(x) + c₃·σ(log p(x)))·softmax + c₂·onehot(y),
// because ∂LogSumExp = softmax, ∂f[y] = onehot, and softplus(−z)′ = σ(z) − 1.
func (t Term) on(w float32) [4]float32 {
	switch t.Kind {
	case CE:
		return [4]float32{w, 0, -w, 0}
	case ML:
		return [4]float32{-w, 0, 0, 0}
	case BCE:
		return [4]float32{-w, 0, 0, w}
	case Joint:
		return [4]float32{0, 0, -w, 0}
	}
	return [4]float32{0, 2 * w, 0, 0}
}

// against is on for an image x⁻.
func (t Term) against(w float32) [4]float32 {
	switch t.Kind {
	case ML:
		return [4]float32{w, 0, 0, 0}
	case BCE:
		return [4]float32{0, 0, 0, w}
	case Joint:
		return [4]float32{0, 0, w, 0}
	case Square:
		return [4]float32{0, 2 * w, 0, 0}
	}
	return [4]float32{}
}

// Coef returns the coefficients (c₀,c₁,c₂,c₃) of backend.LogitGrad, one row a sample.
func (o Objective) Coef(parts []Part) []float32 {
	var rows []float32
	for _, p := range parts {
		var c [4]float32
		share := 1 / float32(p.N)
		for _, t := range o {
			if p.Role&t.On != 0 {
				add(&c, t.on(t.Weight*share))
			}
			if p.Role&t.Against != 0 {
				add(&c, t.against(t.Weight*share))
			}
		}
		rows = append(rows, repeat(p.N, c[:]...)...)
	}
	return rows
}

func add(c *[4]float32, more [4]float32) {
	for i := range c {
		c[i] += more[i]
	}
}
