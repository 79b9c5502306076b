// Pointwise operations: a thread for four neighbouring elements (rule Quads), whatever the
// layout. Each element is read and written once: bytes per element are the number of operands
// times the size of the storage. Definitions: backend/cpu/asm/pointwise_generic.go.
#include "device.cuh"

// y = v
template <class T> __device__ void fill(Out<T> y, int64_t n, float value) {
    int64_t i = 4 * thread();
    float v[4] = {value, value, value, value};
    store4(y, v, i, n, aligned(y));
}

// y = x > 0 ? x : slope·x
template <class T> __device__ void leaky_relu(Out<T> y, In<T> x, int64_t n, float slope) {
    int64_t i = 4 * thread();
    bool wide = aligned(y) && aligned(x);
    float v[4];
    load4(v, x, i, n, wide);
    for (int j = 0; j < 4; j++) v[j] = leaky(v[j], slope);
    store4(y, v, i, n, wide);
}

// dx = y > 0 ? dy : slope·dy
template <class T> __device__ void leaky_relu_grad(Out<T> dx, In<T> dy, In<T> y, int64_t n, float slope) {
    int64_t i = 4 * thread();
    bool wide = aligned(dx) && aligned(dy) && aligned(y);
    float g[4], a[4];
    load4(g, dy, i, n, wide);
    load4(a, y, i, n, wide);
    for (int j = 0; j < 4; j++) g[j] = gate(g[j], a[j], slope);
    store4(dx, g, i, n, wide);
}

// y += a·x
template <class T> __device__ void axpy(Out<T> y, In<T> x, int64_t n, float a) {
    int64_t i = 4 * thread();
    bool wide = aligned(y) && aligned(x);
    float v[4], w[4];
    load4<T>(v, y, i, n, wide);
    load4(w, x, i, n, wide);
    for (int j = 0; j < 4; j++) v[j] += a * w[j];
    store4(y, v, i, n, wide);
}

// y += a·y²·x
EXPORTED axpy_squared(Out<float> y, In<float> x, int64_t n, float a) {
    int64_t i = 4 * thread();
    bool wide = aligned(y) && aligned(x);
    float v[4], w[4];
    load4<float>(v, y, i, n, wide);
    load4(w, x, i, n, wide);
    for (int j = 0; j < 4; j++) v[j] += a * v[j] * v[j] * w[j];
    store4(y, v, i, n, wide);
}

// y += t·(x − y)
template <class T> __device__ void lerp(Out<T> y, In<T> x, int64_t n, float t) {
    int64_t i = 4 * thread();
    bool wide = aligned(y) && aligned(x);
    float v[4], w[4];
    load4<T>(v, y, i, n, wide);
    load4(w, x, i, n, wide);
    for (int j = 0; j < 4; j++) v[j] += t * (w[j] - v[j]);
    store4(y, v, i, n, wide);
}

// x = min(max(x, lo), hi)
template <class T> __device__ void clamp(Out<T> x, int64_t n, float lo, float hi) {
    int64_t i = 4 * thread();
    bool wide = aligned(x);
    float v[4];
    load4<T>(v, x, i, n, wide);
    for (int j = 0; j < 4; j++) v[j] = within(v[j], lo, hi);
    store4(x, v, i, n, wide);
}

// flag[0] |= 1 where an x is NaN or infinite: x − x is 0 for no other.
template <class T> __device__ void not_finite(Out<int32_t> flag, In<T> x, int64_t n) {
    int64_t i = 4 * thread();
    float v[4];
    load4(v, x, i, n, aligned(x));
    bool bad = false;
    for (int j = 0; j < 4; j++) bad |= !(v[j] - v[j] == 0);
    if (bad) set_bit0(flag);
}

EXPORTED fill_f32(Out<float> y, int64_t n, float v) { fill(y, n, v); }
EXPORTED fill_bf16(Out<bf16> y, int64_t n, float v) { fill(y, n, v); }
EXPORTED leaky_relu_f32(Out<float> y, In<float> x, int64_t n, float slope) { leaky_relu(y, x, n, slope); }
EXPORTED leaky_relu_bf16(Out<bf16> y, In<bf16> x, int64_t n, float slope) { leaky_relu(y, x, n, slope); }
EXPORTED leaky_relu_grad_f32(Out<float> dx, In<float> dy, In<float> y, int64_t n, float slope) {
    leaky_relu_grad(dx, dy, y, n, slope);
}
EXPORTED leaky_relu_grad_bf16(Out<bf16> dx, In<bf16> dy, In<bf16> y, int64_t n, float slope) {
    leaky_relu_grad(dx, dy, y, n, slope);
}
EXPORTED axpy_f32(Out<float> y, In<float> x, int64_t n, float a) { axpy(y, x, n, a); }
EXPORTED axpy_bf16(Out<bf16> y, In<bf16> x, int64_t n, float a) { axpy(y, x, n, a); }
EXPORTED lerp_f32(Out<float> y, In<float> x, int64_t n, float t) { lerp(y, x, n, t); }
EXPORTED lerp_bf16(Out<bf16> y, In<bf16> x, int64_t n, float t) { lerp(y, x, n, t); }
EXPORTED clamp_f32(Out<float> x, int64_t n, float lo, float hi) { clamp(x, n, lo, hi); }
EXPORTED clamp_bf16(Out<bf16> x, int64_t n, float lo, float hi) { clamp(x, n, lo, hi); }
EXPORTED not_finite_f32(Out<int32_t> flag, In<float> x, int64_t n) { not_finite(flag, x, n); }
EXPORTED not_finite_bf16(Out<int32_t> flag, In<bf16> x, int64_t n) { not_finite(flag, x, n); }
