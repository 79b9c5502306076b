// LogSumExp and the gradient of a joint objective at the logits: a warp a row (rule Warps).
// Definitions: package backend's Head, backend/cpu/softmax.go.
#include "reduce.cuh"

// Softmax is what a row's LogSumExp is made of: top + log(sum) with sum = Σ exp(x − top).
struct Softmax {
    float top, sum;
    __device__ float lse() const { return top + logf(sum); }
};

// softmax reads each logit once. Lane l takes k = l, l+32, … in order, keeping its maximum and a sum
// scaled to that; then the maximum and the rescaled sums go over the warp. x − top ≤ 0 cannot
// overflow. A NaN reaches the sum, as exp(NaN). keep gets the lane's first 32 logits.
__device__ inline Softmax softmax(float (&keep)[32], In<float> row, int32_t k) {
    Softmax s{__uint_as_float(0xff800000), 0}; // −∞
    int32_t lane = threadIdx.x % 32;
    auto take = [&s](float x) {
        if (x > s.top) {
            s.sum *= expf(s.top - x);
            s.top = x;
        }
        s.sum += expf(x - s.top);
    };
#pragma unroll
    for (int i = 0; i < 32; i++) {
        if (32 * i >= k) break;
        keep[i] = 0;
        if (32 * i + lane < k) take(keep[i] = row[32 * i + lane]);
    }
    for (int32_t i = 1024 + lane; i < k; i += 32) take(row[i]);
    float top = warp_max(s.top);
    s.sum = warp_sum(s.sum == 0 ? 0 : s.sum * expf(s.top - top));
    s.top = top;
    return s;
}

// lse[row] = log Σ_k exp logits[row][k]. 4 bytes a logit.
EXPORTED log_sum_exp(Out<float> lse, In<float> logits, int32_t n, int32_t k) {
    int64_t row = thread() / 32;
    if (row >= n) return; // the whole warp
    float keep[32];
    Softmax s = softmax(keep, logits + row * k, k);
    if (threadIdx.x % 32 == 0) lse[row] = s.lse();
}

// logistic is 1/(1+exp(−v)): of an exponential that is at most 1, so it overflows for no v and is as
// precise where it is small.
__device__ inline float logistic(float v) {
    float e = expf(-fabsf(v));
    return (v >= 0 ? 1 : e) / (1 + e);
}

// d[row][k] = (c₀ + c₁·lse + c₃·σ(lse))·softmax[k] + c₂·[k = label]. 8 bytes a logit; up to 1024 classes each is
// read once and kept in registers, beyond that twice. The softmax is divided by the sum: exp(x − lse)
// would lose it where the logits are huge.
EXPORTED logit_grad(Out<float> d, In<float> logits, In<int32_t> labels, In<float> coef, int32_t n, int32_t k) {
    int64_t row = thread() / 32;
    if (row >= n) return; // the whole warp
    float c0 = coef[4 * row], c1 = coef[4 * row + 1], c2 = coef[4 * row + 2], c3 = coef[4 * row + 3];
    int32_t lane = threadIdx.x % 32, label = c2 != 0 && labels ? int32_t(labels[row]) : -1;
    bool lost = c2 != 0 && (label < 0 || label >= k), used = !(c0 == 0 && c1 == 0 && c3 == 0);
    float keep[32], base = lost ? __uint_as_float(0x7fc00000) : 0;
    Softmax s = softmax(keep, logits + row * k, k);
    float weight = c0 + c1 * s.lse();
    if (c3 != 0) weight += c3 * logistic(s.lse());
    float scale = weight / s.sum;
    auto put = [&](int32_t i, float x) {
        float v = base + (used ? scale * expf(x - s.top) : 0);
        d[row * k + i] = i == label ? v + c2 : v;
    };
#pragma unroll
    for (int i = 0; i < 32; i++) {
        if (32 * i >= k) break;
        if (32 * i + lane < k) put(32 * i + lane, keep[i]);
    }
    for (int32_t i = 1024 + lane; i < k; i += 32) put(i, logits[row * k + i]);
}
