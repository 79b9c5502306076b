// Between the last feature map and the logits: pooling and the linear layer. Definitions: package
// backend's Head, backend/cpu/head.go.
#include "reduce.cuh"

// y[image][channel] = Σ_p x / hw. Blocks of 32 channels × 8 threads (rule Planes), of which thread
// y takes pixels y, y+8, … in order; then the eight are added. 4 bytes (2) an element.
template <class T> __device__ void avg_pool(Out<float> y, In<T> x, int32_t n, int32_t c, int32_t hw) {
    int64_t image = blockIdx.x;
    int32_t channel = blockIdx.y * 32 + threadIdx.x;
    float sum = 0;
    if (channel < c)
        for (int32_t p = threadIdx.y; p < hw; p += 8) sum += widen(x[(image * hw + p) * c + channel]);
    sum = column_sum(sum);
    if (threadIdx.y == 0 && channel < c) y[image * c + channel] = sum / hw;
}

// dx = dy[image][channel] / hw, times LeakyReLU's derivative at act where given. A thread for four
// elements (rule Quads); 8 bytes (4) an element with act.
template <class T>
__device__ void avg_pool_grad(Out<T> dx, In<float> dy, In<T> act, int32_t n, int32_t c, int32_t hw, float slope) {
    int64_t i = 4 * thread(), size = int64_t(n) * hw * c;
    if (i >= size) return;
    bool wide = aligned(dx) && aligned(act);
    Div pixel(i, c);
    float v[4], a[4];
    for (int j = 0; j < 4; j++) {
        v[j] = i + j < size ? dy[Div(pixel.quotient, hw).quotient * c + pixel.remainder] / hw : 0.f;
        if (++pixel.remainder == c) pixel.remainder = 0, pixel.quotient++;
    }
    if (act) {
        load4(a, act, i, size, wide);
        for (int j = 0; j < 4; j++) v[j] = gate(v[j], a[j], slope);
    }
    store4(dx, v, i, size, wide);
}

EXPORTED avg_pool_f32(Out<float> y, In<float> x, int32_t n, int32_t c, int32_t hw) { avg_pool(y, x, n, c, hw); }
EXPORTED avg_pool_bf16(Out<float> y, In<bf16> x, int32_t n, int32_t c, int32_t hw) { avg_pool(y, x, n, c, hw); }
EXPORTED avg_pool_grad_f32(Out<float> dx, In<float> dy, In<float> act, int32_t n, int32_t c, int32_t hw, float slope) {
    avg_pool_grad(dx, dy, act, n, c, hw, slope);
}
EXPORTED avg_pool_grad_bf16(Out<bf16> dx, In<float> dy, In<bf16> act, int32_t n, int32_t c, int32_t hw, float slope) {
    avg_pool_grad(dx, dy, act, n, c, hw, slope);
}

// y[row][k] = Σ_d x[row][d]·w[k][d] + b[k]. A warp an output (rule Warps), of which lane l takes
// d = l, l+32, … in order; then warp_sum. x is read k times, from the cache.
EXPORTED linear(Out<float> y, In<float> x, In<float> w, In<float> b, int32_t n, int32_t d, int32_t k) {
    int64_t output = thread() / 32;
    if (output >= int64_t(n) * k) return; // the whole warp
    Div at(output, k);
    float sum = 0;
    for (int32_t i = threadIdx.x % 32; i < d; i += 32)
        sum += x[at.quotient * d + i] * w[int64_t(at.remainder) * d + i];
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0) y[output] = sum + b[at.remainder];
}

// dx[row][d] = Σ_k dy[row][k]·w[k][d], in the order of k. A thread an element (rule Elements).
EXPORTED linear_input_grad(Out<float> dx, In<float> dy, In<float> w, int32_t n, int32_t d, int32_t k) {
    int64_t i = thread();
    if (i >= int64_t(n) * d) return;
    Div at(i, d);
    float sum = 0;
    for (int32_t j = 0; j < k; j++) sum += dy[at.quotient * k + j] * w[int64_t(j) * d + at.remainder];
    dx[i] = sum;
}

// dw[k][d] += Σ_rows dy[row][k]·x[row][d] and db[k] += Σ_rows dy[row][k], in the order of rows. A
// thread an element (rule Elements), where column d stands for the bias.
EXPORTED linear_param_grad(Out<float> dw, Out<float> db, In<float> x, In<float> dy, int32_t n, int32_t d, int32_t k) {
    int64_t i = thread();
    if (i >= int64_t(k) * (d + 1)) return;
    Div at(i, d + 1);
    bool bias = at.remainder == d;
    float sum = 0;
    for (int64_t row = 0; row < n; row++)
        sum += dy[row * k + at.quotient] * (bias ? 1.f : float(x[row * d + at.remainder]));
    if (bias)
        db[at.quotient] += sum;
    else
        dw[at.quotient * d + at.remainder] += sum;
}
