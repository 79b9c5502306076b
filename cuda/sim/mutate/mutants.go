package main

// mutant is a kernel broken in one place.
type mutant struct {
	file     string // of kernels/
	old, new string // an expression, or a statement, and what stands for it; old occurs once
}

// mutants are about one to four for every family. Their numbers are their places here, from 1.
func mutants() []mutant {
	return []mutant{
		{"device.cuh", "v > 0 ? v : slope * v", "v > 0 ? v : -slope * v"},
		{"device.cuh", "act > 0 ? g : slope * g", "act >= 0 ? g : slope * g"},
		{"device.cuh", "v < lo ? lo : v > hi ? hi : v", "fminf(fmaxf(v, lo), hi)"},
		{"device.cuh", "i + j < n ? widen(p[i + j]) : 0", "i + j <= n ? widen(p[i + j]) : 0"},
		{"device.cuh", "if (i + j < n) p[i + j] = narrow<T>(v[j]);", "if (i + j <= n) p[i + j] = narrow<T>(v[j]);"},
		{"device.cuh", "u + 0x7fff + (u >> 16 & 1)", "u + 0x8000"},
		{"device.cuh", "uint32_t(a) / uint32_t(b)", "uint16_t(a) / uint32_t(b)"},

		{"reduce.cuh", "v += __shfl_xor_sync(whole_warp, v, d);", "v -= __shfl_xor_sync(whole_warp, v, d);"},
		{"reduce.cuh", "v = fmaxf(v, __shfl_xor_sync(whole_warp, v, d));", "v = fminf(v, __shfl_xor_sync(whole_warp, v, d));"},
		{"reduce.cuh", "__syncthreads();\n    if (threadIdx.x < 32)", "if (threadIdx.x < 32)"},
		{"reduce.cuh", "threadIdx.x < 8", "threadIdx.x < 7"},
		{"reduce.cuh", "__syncthreads();\n    if (threadIdx.y == 0)", "if (threadIdx.y == 0)"},
		{"reduce.cuh", "y < 8", "y < 7"},

		{"pointwise.cu", "v[j] += a * w[j];", "v[j] -= a * w[j];"},
		{"pointwise.cu", "a * v[j] * v[j] * w[j]", "a * v[j] * w[j]"},
		{"pointwise.cu", "t * (w[j] - v[j])", "t * w[j]"},
		{"pointwise.cu", "v[j] - v[j] == 0", "v[j] == v[j]"},
		{"pointwise.cu", "float v[4] = {value, value, value, value};", "float v[4] = {value, value, value, 0};"},

		{"epilogue.cu", "if (++channel == c) channel = 0;", "if (++channel > c) channel = 0;"},
		{"epilogue.cu", "v[j] += add[j];", "v[j] -= add[j];"},
		{"epilogue.cu", "if (raw) store4(raw, v, i, n, wide);", "if (raw && !act) store4(raw, v, i, n, wide);"},
		{"epilogue.cu", "v[j] = gate(v[j], w[j], slope);", "v[j] = gate(v[j], -w[j], slope);"},
		{"epilogue.cu", "p += int64_t(gridDim.x) * 8", "p += int64_t(gridDim.x) * 8 + 1"},
		{"epilogue.cu", "db[channel] += sum;", "db[channel] = sum;"},

		{"layout.cu", "i + 1 + threadIdx.x", "i + 2 + threadIdx.x"},
		{"layout.cu", "if (at.remainder < c)", "if (at.remainder <= c)"},
		{"layout.cu", "if (add) v += dst[to * row + e];", "if (!add) v += dst[to * row + e];"},
		{"layout.cu", "(from * hw + at.remainder) * cs + at.quotient", "(to * hw + at.remainder) * cs + at.quotient"},
		{"layout.cu", "if (++at.remainder == cs)", "if (++at.remainder == c)"},
		{"layout.cu", "if (++at.remainder == c)", "if (++at.remainder == cs)"},

		{"sums.cu", "sum += v[j] * v[j];", "sum += v[j];"},
		{"sums.cu", "norm[blockIdx.x] = sqrtf(sum);", "norm[blockIdx.x] = sum;"},
		{"sums.cu", "int64_t(gridDim.x) * 4 * blockDim.x", "int64_t(gridDim.x) * 4 * blockDim.x + 4"},
		{"sums.cu", "v[j] * w[j] * (v[j] * w[j])", "v[j] * w[j]"},
		{"sums.cu", "i < count", "i < count - 1"},

		{"head.cu", "p += 8", "p += 9"},
		{"head.cu", "dy[Div(pixel.quotient, hw).quotient * c + pixel.remainder] / hw", "dy[Div(pixel.quotient, hw).quotient * c + pixel.remainder] / (hw + 1)"},
		{"head.cu", "sum + b[at.remainder]", "sum"},
		{"head.cu", "j < k", "j < k - 1"},
		{"head.cu", "dw[at.quotient * d + at.remainder] += sum;", "dw[at.quotient * d + at.remainder] = sum;"},
		{"head.cu", "db[at.quotient] += sum;", "db[at.quotient] = sum;"},

		{"logits.cu", "expf(s.top - x)", "expf(x - s.top)"},
		{"logits.cu", "s.sum * expf(s.top - top)", "s.sum"},
		{"logits.cu", "c0 + c1 * s.lse()", "c0 - c1 * s.lse()"},
		{"logits.cu", "c0 == 0 && c1 == 0 && c3 == 0", "c0 == 0 && c1 == 0"},
		{"logits.cu", "expf(-fabsf(v))", "expf(-v)"},
		{"logits.cu", "v >= 0 ? 1 : e", "v >= 0 ? e : 1"},
		{"logits.cu", "v + c2", "v - c2"},
		{"logits.cu", "label >= k", "label > k"},
		{"logits.cu", "logits[row * k + i]", "logits[row * k + i - 32]"},

		{"window.cu", "x > v || x != x ? x : v", "x > v ? x : v"},
		{"window.cu", "sum / count", "sum / (count + 1)"},
		{"window.cu", "max(left, 0)", "max(left, 1)"},
		{"window.cu", "min(top + size, h)", "min(top + size - 1, h)"},

		{"philox.cuh", "round < 10", "round < 9"},
		{"philox.cuh", "k1 += 0xBB67AE85u", "k1 += 0x9E3779B9u"},
		{"philox.cuh", "q = fmaf(q, f, -0x1.557832p-3f);", "q = fmaf(q, f, 0x1.557832p-3f);"},
		{"philox.cuh", "z1 = r * sine;", "z1 = -r * sine;"},
		{"philox.cuh", "k.sub += sub;", "k.sub += 0;"},
		{"philox.cuh", "k.first += first;", "k.first += 0;"},
		{"philox.cuh", "block + key.first", "block"},
		{"philox.cuh", "uint32_t(number >> 32)", "uint32_t(block >> 32)"},
		{"stream.cuh", "image.quotient * 3 + channel", "image.quotient * 3 + 2 - channel"},
		{"stream.cuh", "if (++image.remainder == c)", "if (++image.remainder > c)"},
		{"random.cu", "__fadd_rn(a, __fmul_rn(b, r[j]))", "fmaf(b, r[j], a)"},
		{"random.cu", "r[j] < rate ? 0 : v[j] * scale", "r[j] > rate ? 0 : v[j] * scale"},

		{"sgld.cu", "v[j] += alpha * within(d[j], -clip, clip);", "v[j] -= alpha * within(d[j], -clip, clip);"},
		{"sgld.cu", "v[j] + sigma * eps[j]", "v[j] - sigma * eps[j]"},
		{"sgld.cu", "get4(g, (p / 3 + pixel) * 4)", "get4(g, (p / 3 + pixel / 2) * 4)"},
		{"sgld.cu", "j < 3 ? v[3 * pixel + j % 3] : 0", "v[3 * pixel + j % 3]"},
		{"sgld.cu", "step.sigma == 0", "step.sigma != 0"},

		{"moves.cu", "g > 0 ? a : g < 0 ? -a : g", "g >= 0 ? a : -a"},
		{"moves.cu", "if (c != c) return c;", ";"},
		{"moves.cu", "within(v, c - r, c + r)", "v"},
		{"moves.cu", "fminf(lo, c)", "lo"},
		{"moves.cu", "fmaxf(hi, c)", "hi"},
		{"moves.cu", "if (norm == 0) return; // the whole block", ";"},
		{"moves.cu", "a / norm", "a / float(norm)"},
		{"moves.cu", "!(norm <= radius)", "norm > radius"},
		{"moves.cu", "radius / norm", "norm / radius"},

		{"optim.cu", "rest2 * d * d", "rest2 * d"},
		{"optim.cu", "sqrtf(v4[j]) * root + eps", "sqrtf(v4[j]) * root"},
		{"optim.cu", "if (!first)", "if (first)"},
		{"optim.cu", "(scale * g4[j] + decay * p4[j])", "(scale * g4[j])"},

		{"norm.cu", "squares ? d * d : d", "squares ? d : d"},
		{"norm.cu", "__syncthreads(); // column_sum's memory is used again", ";"},
		{"norm.cu", "sum += v[at] * weight(Div(at, c).remainder);", "sum += v[at];"},
		{"norm.cu", "sum / fmaxf(size - 1, 1)", "sum / size"},
		{"norm.cu", "mean1[set] + hat * mean2[set]", "mean1[set] - hat * mean2[set]"},
		{"norm.cu", "dbeta[channel] += b;", "dbeta[channel] += g;"},
		{"norm.cu", "kind == instance ? image * c + channel : image", "kind == layer ? image : image"},
		{"norm.cu", "mu[channel] = mean[channel];", "mu[channel] = variance[channel];"},
	}
}
