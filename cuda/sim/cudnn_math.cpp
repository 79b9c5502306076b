// Tensors in memory and the three computations of a convolution, in float64.
#include "cudnn_sim.h"

#include <algorithm>
#include <cmath>
#include <cstring>

bool Shape::same_size(const Shape &o) const { return std::equal(dim, dim + 4, o.dim); }

bool Shape::channels_last() const {
	const int64_t want[4] = {dim[1] * dim[2] * dim[3], 1, dim[3] * dim[1], dim[1]};
	for (int i = 0; i < 4; i++)
		if (dim[i] > 1 && stride[i] != want[i]) return false;
	return true;
}

bool Shape::packed() const {
	int64_t last = 0;
	for (int i = 0; i < 4; i++) last += (dim[i] - 1) * stride[i];
	return last == count() - 1;
}

static double widen(const unsigned char *at, cudnnDataType_t type) {
	if (type == CUDNN_DATA_FLOAT) {
		float v;
		memcpy(&v, at, 4);
		return v;
	}
	uint16_t h;
	memcpy(&h, at, 2);
	uint32_t bits = uint32_t(h) << 16;
	float v;
	memcpy(&v, &bits, 4);
	return v;
}

// round_bits rounds a float32 to nearest even so that its lowest `drop` bits are 0.
static uint32_t round_bits(float v, int drop) {
	uint32_t bits;
	memcpy(&bits, &v, 4);
	if (std::isnan(v)) return bits | 0x00400000;
	const uint32_t half = (1u << (drop - 1)) - 1, odd = bits >> drop & 1;
	return (bits + half + odd) & ~((1u << drop) - 1);
}

static double tf32_of(double v) {
	uint32_t bits = round_bits(float(v), 13);
	float f;
	memcpy(&f, &bits, 4);
	return f;
}

static void narrow(unsigned char *at, cudnnDataType_t type, double v) {
	float f = float(v);
	if (type == CUDNN_DATA_FLOAT) {
		memcpy(at, &f, 4);
		return;
	}
	uint16_t h = uint16_t(round_bits(f, 16) >> 16);
	memcpy(at, &h, 2);
}

// each calls f with the place of every element in the order N,H,W,C.
template <class F>
static void each(const Shape &s, F f) {
	size_t i = 0;
	for (int64_t n = 0; n < s.dim[0]; n++)
		for (int64_t h = 0; h < s.dim[2]; h++)
			for (int64_t w = 0; w < s.dim[3]; w++)
				for (int64_t c = 0; c < s.dim[1]; c++)
					f(i++, size_t(n * s.stride[0] + c * s.stride[1] + h * s.stride[2] + w * s.stride[3]));
}

bool load(const Shape &s, const void *device, bool tf32, Values &out) {
	auto *p = static_cast<const unsigned char *>(simRead(device, s.count() * s.element()));
	if (!p) return false;
	out.resize(s.count());
	each(s, [&](size_t i, size_t at) {
		double v = widen(p + at * s.element(), s.type);
		out[i] = tf32 && s.type == CUDNN_DATA_FLOAT ? tf32_of(v) : v;
	});
	return true;
}

bool store(const Shape &s, void *device, const Values &v) {
	auto *p = static_cast<unsigned char *>(simWrite(device, s.count() * s.element()));
	if (!p) return false;
	each(s, [&](size_t i, size_t at) { narrow(p + at * s.element(), s.type, v[i]); });
	return true;
}

// scaled_add is the inner loop of all three: y += a * x.
__attribute__((target_clones("avx512f", "avx2,fma", "default"))) static void scaled_add(double *y, double a, const double *x, int64_t n) {
	for (int64_t i = 0; i < n; i++) y[i] += a * x[i];
}

// taps calls f for every pair of an output pixel and a pixel under its window: their places in
// y and x, and the tap between them.
template <class F>
static void taps(const Layer &l, F f) {
	for (int64_t n = 0; n < l.n; n++)
		for (int64_t p = 0; p < l.p; p++)
			for (int64_t q = 0; q < l.q; q++)
				for (int64_t r = 0; r < l.r; r++)
					for (int64_t s = 0; s < l.s; s++) {
						int64_t h = p * l.stride - l.pad + r, w = q * l.stride - l.pad_w + s;
						if (h >= 0 && h < l.h && w >= 0 && w < l.w) f((n * l.p + p) * l.q + q, (n * l.h + h) * l.w + w, r * l.s + s);
					}
}

static Values forward(const Layer &l, const Values &x, const Values &w) {
	Values turned(w.size()), y(l.n * l.p * l.q * l.k, 0.0); // R,S,C,K
	for (int64_t k = 0; k < l.k; k++)
		for (int64_t t = 0; t < l.r * l.s * l.c; t++) turned[t * l.k + k] = w[k * l.r * l.s * l.c + t];
	taps(l, [&](int64_t out, int64_t in, int64_t tap) {
		for (int64_t c = 0; c < l.c; c++) scaled_add(&y[out * l.k], x[in * l.c + c], &turned[(tap * l.c + c) * l.k], l.k);
	});
	return y;
}

static Values input_grad(const Layer &l, const Values &dy, const Values &w) {
	Values dx(l.n * l.h * l.w * l.c, 0.0);
	taps(l, [&](int64_t out, int64_t in, int64_t tap) {
		for (int64_t k = 0; k < l.k; k++) scaled_add(&dx[in * l.c], dy[out * l.k + k], &w[(k * l.r * l.s + tap) * l.c], l.c);
	});
	return dx;
}

static Values param_grad(const Layer &l, const Values &x, const Values &dy) {
	Values dw(l.k * l.r * l.s * l.c, 0.0);
	taps(l, [&](int64_t out, int64_t in, int64_t tap) {
		for (int64_t k = 0; k < l.k; k++) scaled_add(&dw[(k * l.r * l.s + tap) * l.c], dy[out * l.k + k], &x[in * l.c], l.c);
	});
	return dw;
}

Values convolve(const Layer &l, Pass pass, const Values &a, const Values &b) {
	switch (pass) {
	case FORWARD: return forward(l, a, b);
	case INPUT_GRAD: return input_grad(l, a, b);
	default: return param_grad(l, a, b);
	}
}
