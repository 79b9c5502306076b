package kernels

// random are the last arguments of every kernel that draws numbers: the key (seed, step, sub,
// first) of backend/philox. Where key is not 0 it points at the 24 bytes {u64 seed, u32 step,
// u32 sub, u64 first} in device memory (see key_set): seed and step are then taken from there, sub
// and first are counted from there, key.sub + sub and key.first + first, so that a replayed graph
// draws new numbers.
const random = ", u64 seed, u32 step, u32 sub, u64 first, in key? key"

// Families lists all kernels, one entry for both storages.
func Families() []Family {
	var all []Family
	for _, group := range [][]Family{pointwise(), epilogue(), layout(), head(), randoms(), updates(), norms()} {
		all = append(all, group...)
	}
	return all
}

// pointwise.cu
func pointwise() []Family {
	return []Family{
		{"fill", true, "out T y, i64 n, f32 v", Quads, "n", "y = v"},
		{"leaky_relu", true, "out T y, in T x, i64 n, f32 slope", Quads, "n", "y = x > 0 ? x : slope·x"},
		{"leaky_relu_grad", true, "out T dx, in T dy, in T y, i64 n, f32 slope", Quads, "n", "dx = y > 0 ? dy : slope·dy"},
		{"axpy", true, "out T y, in T x, i64 n, f32 a", Quads, "n", "y += a·x"},
		{"axpy_squared", false, "out f32 y, in f32 x, i64 n, f32 a", Quads, "n", "y += a·y²·x"},
		{"lerp", true, "out T y, in T x, i64 n, f32 t", Quads, "n", "y += t·(x − y)"},
		{"clamp", true, "out T x, i64 n, f32 lo, f32 hi", Quads, "n", "x = min(max(x, lo), hi)"},
		{"not_finite", true, "out i32 flag, in T x, i64 n", Quads, "n", "flag[0] |= 1 where an x is NaN or infinite; the caller zeroes flag"},
	}
}

// epilogue.cu: what a convolution plan adds around the legacy calls of cuDNN.
func epilogue() []Family {
	return []Family{
		{"conv_forward_tail", true, "out T? raw, out T? act, in T y, in f32? bias, in T? residual, i64 pixels, i32 c, f32 slope", Quads, "pixels·c",
			"r = y + bias[c] + residual; raw = r; act = LeakyReLU(r). raw may be y or residual"},
		{"conv_input_grad_tail", true, "out T dx, in T g, in T? act, in T? residual, i64 n, f32 slope", Quads, "n",
			"dx = g·(act > 0 ? 1 : slope) + residual. dx may be g or residual"},
		{"bias_grad_parts", true, "out f32 parts, in T dy, i64 pixels, i32 c", Columns, "pixels, c",
			"parts (PixelParts(pixels), c): sums of dy over a part of the pixels"},
		{"bias_grad", false, "out f32 db, in f32 parts, i32 count, i32 c", Elements, "c", "db[c] += Σ_i parts[i][c], count = PixelParts(pixels)"},
	}
}

// layout.cu: copies between dense (N,C,H,W) rows and images, and between storages. They
// also reorder weights: (K,C,R,S) is n = K, hw = R·S.
func layout() []Family {
	return []Family{
		{"to_nhwc", true, "out T dst, in f32 src, in i32? dst_rows, in i32? src_rows, i32 n, i32 c, i32 hw, i32 cs", Tiles, "n, hw·cs",
			"dst[dst_rows[i]][p][c] = src[src_rows[i]][c][p], i < n; no rows = identity. Upload, UploadRows, Copy, GatherRows; of repeated dst rows the last wins; a negative src row gives NaN, a negative dst row is skipped"},
		{"to_nchw", true, "out f32 dst, in T src, in i32? dst_rows, in i32? src_rows, i32 n, i32 c, i32 hw, i32 cs, i32 add", Tiles, "n, hw·c",
			"dst[dst_rows[i]][c][p] = src[src_rows[i]][p][c], added instead of assigned where add is 1. Download, Copy, ScatterRows, weight gradients"},
		{"f32_to_bf16", false, "out bf16 dst, in f32 src, i64 pixels, i32 c, i32 cs", Quads, "pixels·cs", "dst (pixels,cs) = src (pixels,c), rounded; dense: c = cs = 1"},
		{"bf16_to_f32", false, "out f32 dst, in bf16 src, i64 pixels, i32 c, i32 cs", Quads, "pixels·c", "dst (pixels,c) = src (pixels,cs); dense: c = cs = 1"},
	}
}

// head.cu, window.cu, logits.cu, sums.cu
func head() []Family {
	return []Family{
		{"avg_pool", true, "out f32 y, in T x, i32 n, i32 c, i32 hw", Planes, "n, c", "y[n][c] = Σ_p x[n][p][c] / hw"},
		{"avg_pool_grad", true, "out T dx, in f32 dy, in T? act, i32 n, i32 c, i32 hw, f32 slope", Quads, "n·hw·c", "dx[n][p][c] = dy[n][c] / hw · (act > 0 ? 1 : slope)"},
		{"max_pool", true, "out T y, in T x, i32 n, i32 c, i32 h, i32 w, i32 size, i32 stride, i32 pad", Elements, "n·oh·ow·c", "y = largest x in a size×size window's part inside the image; oh = (h+2·pad−size)/stride + 1"},
		{"mean_pool", true, "out T y, in T x, i32 n, i32 c, i32 h, i32 w, i32 size, i32 stride, i32 pad", Elements, "n·oh·ow·c", "the same with the mean over that part"},
		{"linear", false, "out f32 y, in f32 x, in f32 w, in f32 b, i32 n, i32 d, i32 k", Warps, "n·k", "y (n,k) = x (n,d)·wᵀ + b, w (k,d)"},
		{"linear_input_grad", false, "out f32 dx, in f32 dy, in f32 w, i32 n, i32 d, i32 k", Elements, "n·d", "dx (n,d) = dy (n,k)·w"},
		{"linear_param_grad", false, "out f32 dw, out f32 db, in f32 x, in f32 dy, i32 n, i32 d, i32 k", Elements, "k·(d+1)", "dw += dyᵀ·x, db += Σ_n dy"},
		{"log_sum_exp", false, "out f32 lse, in f32 logits, i32 n, i32 k", Warps, "n", "lse[n] = log Σ_k exp logits[n][k]"},
		{"logit_grad", false, "out f32 d, in f32 logits, in i32? labels, in f32 coef, i32 n, i32 k", Warps, "n",
			"d[n][k] = (c₀ + c₁·lse[n] + c₃·σ(lse[n]))·softmax(logits[n])[k] + c₂·[k = labels[n]], (c₀,c₁,c₂,c₃) = coef[n]; a row with c₂ ≠ 0 and no label among the classes is NaN"},
		{"row_norm", true, "out f32 norm, in T x, i32 rows, i64 row", Blocks, "rows", "norm[n] = √Σ x[n]²"},
		{"sum_squares_parts", true, "out f32 parts, in T x, i64 n", Parts, "n", "parts (ElementParts(n)): sums of squares of a part of x"},
		{"product_squares_parts", false, "out f32 parts, in f32 x, in f32 y, i64 n", Parts, "n", "parts (ElementParts(n)): sums of (x·y)² of a part of the elements"},
		{"sum_squares", false, "out f32 sum, in f32 parts, i32 count", Blocks, "1", "sum[0] = Σ parts, count = ElementParts(n)"},
	}
}

// random.cu
func randoms() []Family {
	return []Family{
		{"key_set", false, "out key key, u64 seed, u32 step, u32 sub, u64 first", One, "", "*key = {seed, step, sub, first}, for the key argument of the others"},
		{"uniform", true, "out T dst, i64 n, i32 c, i32 hw, f32 lo, f32 width" + random, Stream, "n, c, hw", "dst = lo + width·Uniform, rounded twice"},
		{"normal", true, "out T dst, i64 n, i32 c, i32 hw, f32 mean, f32 std" + random, Stream, "n, c, hw", "dst = mean + std·ε"},
		{"dropout", true, "out T dst, in T src, i64 n, i32 c, i32 hw, f32 rate, f32 scale" + random, Stream, "n, c, hw", "dst = Uniform < rate ? 0 : scale·src, scale = 1/(1−rate)"},
	}
}

// sgld.cu, moves.cu, optim.cu
func updates() []Family {
	return []Family{
		{"sgld", true, "out f32 x, in T g, out bf16? copy, i64 n, i32 c, i32 hw, i32 cs, f32 alpha, f32 sigma, f32 clip, f32 lo, f32 hi" + random, Stream, "n, c, hw",
			"x = clamp(x + α·clip(g) + σ·ε); no limit = ±∞. g, and copy (x rounded, for the next forward pass), have cs channels a pixel; dense: c = cs = 1"},
		{"sign_step", true, "out f32 x, in T g, i64 n, f32 a", Quads, "n", "x += a·sign(g)"},
		{"unit_step", true, "out f32 x, in T g, i32 rows, i64 row, f32 a", Blocks, "rows", "x[r] += a·g[r]/‖g[r]‖₂ in float64; a row whose gradient is 0 stays"},
		{"project_box", false, "out f32 x, in f32 c, i64 n, f32 radius, f32 lo, f32 hi", Quads, "n", "x = min(max(x, c − radius), c + radius), then min(max(x, min(lo, c)), max(hi, c)); no range = ±∞"},
		{"project_sphere", false, "out f32 x, in f32 c, i32 rows, i64 row, f32 radius, f32 lo, f32 hi", Blocks, "rows",
			"x[r] = c[r] + (x[r] − c[r])·radius/‖x[r] − c[r]‖₂ in float64 where the distance is beyond the radius; then the range, as project_box"},
		{"adam", false, "out f32 p, in f32 g, out f32 m, out f32 v, i64 n, f32 scale, f32 decay, f32 beta1, f32 rest1, f32 beta2, f32 rest2, f32 rate, f32 root, f32 eps", Quads, "n",
			"g = scale·g + decay·p; m = β₁·m + rest1·g; v = β₂·v + rest2·g²; p −= rate·m/(√v·root + eps), constants as asm.Adam"},
		{"sgd", false, "out f32 p, in f32 g, out f32 m, i64 n, f32 scale, f32 decay, f32 momentum, f32 rate, i32 first", Quads, "n",
			"m = momentum·m + scale·g + decay·p, without m (which is then not read) where first is 1; p −= rate·m"},
	}
}

// norm.cu. kind is backend.NormKind. Statistics are float32 vectors over the sets that share
// them: c (batch), n·c (instance, image-major), n (layer).
func norms() []Family {
	return []Family{
		{"norm_sums", true, "out f32 sums, in T x, in f32? mu, i32 n, i32 c, i32 hw, i32 kind", Planes, "n, c", "sums[n][c] = Σ_p x, or Σ_p (x − mu[set])²"},
		{"norm_mean", false, "out f32 mu, in f32 sums, i32 n, i32 c, i32 hw, i32 kind", Warps, "sets", "mu[set] = Σ_set sums / elements of a set"},
		{"norm_rstd", false, "out f32 rstd, in f32 sums, in f32 mu, out f32? mean, out f32? variance, i32 n, i32 c, i32 hw, i32 kind, f32 eps, f32 momentum", Warps, "sets",
			"rstd[set] = 1/√(σ² + eps) from the sums of squares; moves the running mean and (unbiased) variance (c) where given"},
		{"norm_running", false, "out f32 mu, out f32 rstd, in f32 mean, in f32 variance, i32 c, f32 eps", Elements, "c", "mu = mean, rstd = 1/√(variance + eps)"},
		{"norm_apply", true, "out T y, in T x, in f32 mu, in f32 rstd, in f32 gamma, in f32 beta, i32 n, i32 c, i32 hw, i32 kind", Quads, "n·hw·c", "y = γ·(x − μ)·rstd + β"},
		{"norm_grad_sums", true, "out f32 sum1, out f32 sum2, in T dy, in T x, in f32 mu, in f32 rstd, i32 n, i32 c, i32 hw, i32 kind", Planes, "n, c", "sum1[n][c] = Σ_p dy, sum2[n][c] = Σ_p dy·x̂"},
		{"norm_grad_means", false, "out f32 mean1, out f32 mean2, in f32 sum1, in f32 sum2, in f32 gamma, i32 n, i32 c, i32 hw, i32 kind", Warps, "sets", "means over each set of γ·sum1 and γ·sum2"},
		{"norm_input_grad", true, "out T dx, in T dy, in T x, in f32 mu, in f32 rstd, in f32 gamma, in f32? mean1, in f32? mean2, i32 n, i32 c, i32 hw, i32 kind", Quads, "n·hw·c",
			"dx = rstd·(γ·dy − mean1[set] − x̂·mean2[set]); no means with running statistics"},
		{"norm_param_grad", false, "out f32 dgamma, out f32 dbeta, in f32 sum1, in f32 sum2, i32 n, i32 c", Elements, "c", "dgamma[c] += Σ_n sum2, dbeta[c] += Σ_n sum1"},
	}
}
