// Moves of images other than Langevin's: along the sign of a gradient, along its direction, into a ball
// around a centre. Definitions: package backend's Update (SignStep, UnitStep, Project),
// backend/cpu/moves.go. Images are float32; a gradient may be what a chain left in bfloat16.
//
// Lengths are taken and moves along them made in float64, as the contract promises: a float32 square
// overflows beyond 1.8e19 and vanishes below 1e-23. A card with few units for float64 does 64 of these
// operations in the time of its memory's 12 bytes, where an element takes some ten.
#include "reduce.cuh"

// sign_of is a, −a, or g itself where that is 0 or NaN.
__device__ inline float sign_of(float g, float a) { return g > 0 ? a : g < 0 ? -a : g; }

// x += a·sign(g). A thread for four elements (rule Quads); 12 bytes (10) an element.
template <class T> __device__ void sign_step(Out<float> x, In<T> g, int64_t n, float a) {
    int64_t i = 4 * thread();
    bool wide = aligned(x) && aligned(g);
    float v[4], d[4];
    load4<float>(v, x, i, n, wide);
    load4(d, g, i, n, wide);
    for (int j = 0; j < 4; j++) v[j] += sign_of(d[j], a);
    store4(x, v, i, n, wide);
}

// in_box moves v into [c−r, c+r] and into [min(lo,c), max(hi,c)]; a NaN of either stays one.
__device__ inline float in_box(float v, float c, float r, float lo, float hi) {
    if (c != c) return c;
    return within(within(v, c - r, c + r), fminf(lo, c), fmaxf(hi, c));
}

// length gives all threads of a block the root of the sum of squares of v(i), i < n: each thread sums
// its own in their order, then block_sum.
template <class Value> __device__ double length(Value v, int64_t n) {
    SHARED(double, whole, 1);
    double sum = 0;
    for (int64_t i = threadIdx.x; i < n; i += blockDim.x) {
        double d = v(i);
        sum += d * d;
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) whole[0] = sqrt(sum);
    __syncthreads();
    return whole[0];
}

// x[r] += a·g[r]/‖g[r]‖₂; a row whose gradient is 0 stays. A block a row (rule Blocks); 16 bytes (12) an
// element, since g is read twice.
template <class T> __device__ void unit_step(Out<float> x, In<T> g, int32_t rows, int64_t row, float a) {
    int64_t first = int64_t(blockIdx.x) * row;
    double norm = length([&](int64_t i) { return double(widen(g[first + i])); }, row);
    if (norm == 0) return; // the whole block
    double scale = a / norm;
    for (int64_t i = first + threadIdx.x; i < first + row; i += blockDim.x) x[i] = float(float(x[i]) + scale * widen(g[i]));
}

EXPORTED sign_step_f32(Out<float> x, In<float> g, int64_t n, float a) { sign_step(x, g, n, a); }
EXPORTED sign_step_bf16(Out<float> x, In<bf16> g, int64_t n, float a) { sign_step(x, g, n, a); }
EXPORTED unit_step_f32(Out<float> x, In<float> g, int32_t rows, int64_t row, float a) { unit_step(x, g, rows, row, a); }
EXPORTED unit_step_bf16(Out<float> x, In<bf16> g, int32_t rows, int64_t row, float a) { unit_step(x, g, rows, row, a); }

// x into the box around c and into its range; no range = ±∞. A thread for four elements (rule Quads);
// 12 bytes an element.
EXPORTED project_box(Out<float> x, In<float> c, int64_t n, float radius, float lo, float hi) {
    int64_t i = 4 * thread();
    bool wide = aligned(x) && aligned(c);
    float v[4], m[4];
    load4<float>(v, x, i, n, wide);
    load4(m, c, i, n, wide);
    for (int j = 0; j < 4; j++) v[j] = in_box(v[j], m[j], radius, lo, hi);
    store4(x, v, i, n, wide);
}

// x[r] into the sphere around c[r], then each element into its range. A block a row (rule Blocks); 20
// bytes an element, since x and c are read twice. Where the distance is NaN, so is the row.
EXPORTED project_sphere(Out<float> x, In<float> c, int32_t rows, int64_t row, float radius, float lo, float hi) {
    int64_t first = int64_t(blockIdx.x) * row;
    double norm = length([&](int64_t i) { return double(float(x[first + i])) - double(c[first + i]); }, row);
    bool beyond = !(norm <= radius);
    double scale = radius / norm;
    for (int64_t i = first + threadIdx.x; i < first + row; i += blockDim.x) {
        float v = x[i], m = c[i];
        if (beyond) v = float(m + scale * (double(v) - m));
        x[i] = in_box(v, m, __uint_as_float(0x7f800000), lo, hi);
    }
}
