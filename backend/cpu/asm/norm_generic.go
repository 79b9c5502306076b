package asm

func normSum(x []float32, c *NormPlane) {
	for i, v := range x {
		c.Sum1[i%16] += float64(v)
	}
}

func normSquares(x []float32, c *NormPlane) {
	for i, v := range x {
		d := float64(v) - c.Mu[i%16]
		c.Sum1[i%16] += d * d
	}
}

func normApply(y, x []float32, c *NormPlane) {
	for i, v := range x[:len(y)] {
		y[i] = float32((float64(v)-c.Mu[i%16])*c.Scale[i%16] + c.Shift[i%16])
	}
}

func normGradSums(dy, x []float32, c *NormPlane) {
	for i, v := range dy {
		c.Sum1[i%16] += float64(v)
		c.Sum2[i%16] += float64(v) * (float64(x[i]) - c.Mu[i%16])
	}
}

func normInputGrad(dx, dy, x []float32, c *NormPlane) {
	for i := range dx {
		d := float64(x[i]) - c.Mu[i%16]
		dx[i] = float32(float64(dy[i])*c.Scale[i%16] + c.Shift[i%16] - d*c.Slope[i%16])
	}
}
