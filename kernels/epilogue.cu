// What a convolution plan adds around cuDNN's legacy convolution calls, one pass for all of it.
// Definition: package backend's Conv.
#include "reduce.cuh"

// r = y + bias[channel] + residual; raw = r; act = LeakyReLU(r). A thread for four elements
// (rule Quads); 4 to 16 bytes a float32 element by what is given. residual may be raw: each
// element is read before it is written, by the same thread.
template <class T>
__device__ void conv_forward_tail(Out<T> raw, Out<T> act, In<T> y, In<float> bias, In<T> residual, int64_t pixels,
                                  int32_t c, float slope) {
    int64_t i = 4 * thread(), n = pixels * c;
    if (i >= n) return;
    bool wide = aligned(raw) && aligned(act) && aligned(y) && aligned(residual);
    float v[4], add[4];
    load4(v, y, i, n, wide);
    if (bias) {
        int32_t channel = Div(i, c).remainder;
        for (int j = 0; j < 4; j++) {
            v[j] += bias[channel];
            if (++channel == c) channel = 0;
        }
    }
    if (residual) {
        load4(add, residual, i, n, wide);
        for (int j = 0; j < 4; j++) v[j] += add[j];
    }
    if (raw) store4(raw, v, i, n, wide);
    if (!act) return;
    for (int j = 0; j < 4; j++) v[j] = leaky(v[j], slope);
    store4(act, v, i, n, wide);
}

// dx = g·(act > 0 ? 1 : slope) + residual. A thread for four elements (rule Quads).
template <class T>
__device__ void conv_input_grad_tail(Out<T> dx, In<T> g, In<T> act, In<T> residual, int64_t n, float slope) {
    int64_t i = 4 * thread();
    bool wide = aligned(dx) && aligned(g) && aligned(act) && aligned(residual);
    float v[4], w[4];
    load4(v, g, i, n, wide);
    if (act) {
        load4(w, act, i, n, wide);
        for (int j = 0; j < 4; j++) v[j] = gate(v[j], w[j], slope);
    }
    if (residual) {
        load4(w, residual, i, n, wide);
        for (int j = 0; j < 4; j++) v[j] += w[j];
    }
    store4(dx, v, i, n, wide);
}

// parts[b][channel] = Σ dy over pixels of part b (rule Columns): block b takes rows of eight
// pixels b, b + gridDim.x, …; each thread sums its own in order, then the eight are added. Reads
// every element once.
template <class T> __device__ void bias_grad_parts(Out<float> parts, In<T> dy, int64_t pixels, int32_t c) {
    int32_t channel = blockIdx.y * 32 + threadIdx.x;
    float sum = 0;
    if (channel < c)
        for (int64_t p = int64_t(blockIdx.x) * 8 + threadIdx.y; p < pixels; p += int64_t(gridDim.x) * 8)
            sum += widen(dy[p * c + channel]);
    sum = column_sum(sum);
    if (threadIdx.y == 0 && channel < c) parts[int64_t(blockIdx.x) * c + channel] = sum;
}

EXPORTED conv_forward_tail_f32(Out<float> raw, Out<float> act, In<float> y, In<float> bias, In<float> residual,
                               int64_t pixels, int32_t c, float slope) {
    conv_forward_tail(raw, act, y, bias, residual, pixels, c, slope);
}
EXPORTED conv_forward_tail_bf16(Out<bf16> raw, Out<bf16> act, In<bf16> y, In<float> bias, In<bf16> residual,
                                int64_t pixels, int32_t c, float slope) {
    conv_forward_tail(raw, act, y, bias, residual, pixels, c, slope);
}
EXPORTED conv_input_grad_tail_f32(Out<float> dx, In<float> g, In<float> act, In<float> residual, int64_t n,
                                  float slope) {
    conv_input_grad_tail(dx, g, act, residual, n, slope);
}
EXPORTED conv_input_grad_tail_bf16(Out<bf16> dx, In<bf16> g, In<bf16> act, In<bf16> residual, int64_t n,
                                   float slope) {
    conv_input_grad_tail(dx, g, act, residual, n, slope);
}
EXPORTED bias_grad_parts_f32(Out<float> parts, In<float> dy, int64_t pixels, int32_t c) {
    bias_grad_parts(parts, dy, pixels, c);
}
EXPORTED bias_grad_parts_bf16(Out<float> parts, In<bf16> dy, int64_t pixels, int32_t c) {
    bias_grad_parts(parts, dy, pixels, c);
}

// db[channel] += Σ parts[i][channel] in their order. A thread a channel (rule Elements).
EXPORTED bias_grad(Out<float> db, In<float> parts, int32_t count, int32_t c) {
    int64_t channel = thread();
    if (channel >= c) return;
    float sum = 0;
    for (int64_t i = 0; i < count; i++) sum += parts[i * c + channel];
    db[channel] += sum;
}
