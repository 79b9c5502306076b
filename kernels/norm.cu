// Normalisation, for the ablations that need it: sums over the pixels of each image's channel, then
// over those that share statistics, in a fixed order. Definition: package backend's Norm,
// backend/cpu/norm.go.
#include "reduce.cuh"

// Kinds, as backend.NormKind numbers them.
enum { batch = 0, instance = 1, layer = 2 };

// set_of numbers the statistics of a channel of an image.
__device__ inline int64_t set_of(int32_t kind, int64_t image, int32_t channel, int32_t c) {
    return kind == batch ? channel : kind == instance ? image * c + channel : image;
}

// plane_sum gives the threads with y = 0 the sum over the pixels of value(place in memory), for
// channel blockIdx.y·32 + x of image blockIdx.x (rule Planes): thread y takes pixels y, y+8, … in
// order, then the eight are added.
template <class Value> __device__ float plane_sum(Value value, int32_t channel, int32_t c, int32_t hw) {
    float sum = 0;
    if (channel < c)
        for (int32_t p = threadIdx.y; p < hw; p += 8) sum += value((int64_t(blockIdx.x) * hw + p) * c + channel);
    return column_sum(sum);
}

// set_sum gives a warp the sum over a set of v[image][channel], w(channel) times each: lane l takes
// members l, l+32, … in order, then warp_sum.
template <class Weight>
__device__ float set_sum(In<float> v, Weight weight, int64_t set, int32_t n, int32_t c, int32_t kind) {
    float sum = 0;
    int32_t members = kind == batch ? n : kind == layer ? c : 1;
    for (int64_t i = threadIdx.x % 32; i < members; i += 32) {
        int64_t at = kind == batch ? i * c + set : kind == layer ? set * c + i : set;
        sum += v[at] * weight(Div(at, c).remainder);
    }
    return warp_sum(sum);
}

// sets and set_size are the number of sets and of elements of each.
__device__ inline int64_t sets(int32_t n, int32_t c, int32_t kind) {
    return kind == batch ? c : kind == instance ? int64_t(n) * c : n;
}
__device__ inline float set_size(int32_t n, int32_t c, int32_t hw, int32_t kind) {
    return float(hw) * (kind == batch ? n : kind == layer ? c : 1);
}

// sums[image][channel] = Σ_p x, or Σ_p (x − mu)² where mu is given. 4 bytes (2) an element.
template <class T>
__device__ void norm_sums(Out<float> sums, In<T> x, In<float> mu, int32_t n, int32_t c, int32_t hw, int32_t kind) {
    int32_t channel = blockIdx.y * 32 + threadIdx.x;
    float mean = mu && channel < c ? float(mu[set_of(kind, blockIdx.x, channel, c)]) : 0.f;
    bool squares = bool(mu);
    auto value = [&](int64_t i) {
        float d = widen(x[i]) - mean;
        return squares ? d * d : d;
    };
    float sum = plane_sum(value, channel, c, hw);
    if (threadIdx.y == 0 && channel < c) sums[int64_t(blockIdx.x) * c + channel] = sum;
}

// y = γ·(x − μ)·rstd + β. A thread for four elements (rule Quads); 8 bytes (4) an element.
template <class T>
__device__ void norm_apply(Out<T> y, In<T> x, In<float> mu, In<float> rstd, In<float> gamma, In<float> beta, int32_t n,
                           int32_t c, int32_t hw, int32_t kind) {
    int64_t i = 4 * thread(), size = int64_t(n) * hw * c;
    bool wide = aligned(y) && aligned(x);
    float v[4];
    load4(v, x, i, size, wide);
    for (int j = 0; j < 4 && i + j < size; j++) {
        Div at(i + j, c);
        int64_t set = set_of(kind, Div(at.quotient, hw).quotient, at.remainder, c);
        v[j] = gamma[at.remainder] * ((v[j] - mu[set]) * rstd[set]) + beta[at.remainder];
    }
    store4(y, v, i, size, wide);
}

// sum1 = Σ_p dy, sum2 = Σ_p dy·x̂ for each image and channel. 8 bytes (4) an element.
template <class T>
__device__ void norm_grad_sums(Out<float> sum1, Out<float> sum2, In<T> dy, In<T> x, In<float> mu, In<float> rstd,
                               int32_t n, int32_t c, int32_t hw, int32_t kind) {
    int32_t channel = blockIdx.y * 32 + threadIdx.x;
    int64_t set = channel < c ? set_of(kind, blockIdx.x, channel, c) : 0, at = int64_t(blockIdx.x) * c + channel;
    float mean = mu[set], scale = rstd[set];
    float s1 = plane_sum([&](int64_t i) { return widen(dy[i]); }, channel, c, hw);
    __syncthreads(); // column_sum's memory is used again
    float s2 = plane_sum([&](int64_t i) { return widen(dy[i]) * ((widen(x[i]) - mean) * scale); }, channel, c, hw);
    if (threadIdx.y == 0 && channel < c) sum1[at] = s1, sum2[at] = s2;
}

// dx = rstd·(γ·dy − mean1 − x̂·mean2), without the means where the statistics were constants. A
// thread for four elements (rule Quads); 12 bytes (6) an element. dx may be dy.
template <class T>
__device__ void norm_input_grad(Out<T> dx, In<T> dy, In<T> x, In<float> mu, In<float> rstd, In<float> gamma,
                                In<float> mean1, In<float> mean2, int32_t n, int32_t c, int32_t hw, int32_t kind) {
    int64_t i = 4 * thread(), size = int64_t(n) * hw * c;
    bool wide = aligned(dx) && aligned(dy) && aligned(x);
    float d[4], v[4];
    load4(d, dy, i, size, wide);
    load4(v, x, i, size, wide);
    for (int j = 0; j < 4 && i + j < size; j++) {
        Div at(i + j, c);
        int64_t set = set_of(kind, Div(at.quotient, hw).quotient, at.remainder, c);
        float scale = rstd[set], hat = (v[j] - mu[set]) * scale;
        d[j] *= gamma[at.remainder];
        if (mean1) d[j] -= mean1[set] + hat * mean2[set];
        d[j] *= scale;
    }
    store4(dx, d, i, size, wide);
}

EXPORTED norm_sums_f32(Out<float> sums, In<float> x, In<float> mu, int32_t n, int32_t c, int32_t hw, int32_t kind) {
    norm_sums(sums, x, mu, n, c, hw, kind);
}
EXPORTED norm_sums_bf16(Out<float> sums, In<bf16> x, In<float> mu, int32_t n, int32_t c, int32_t hw, int32_t kind) {
    norm_sums(sums, x, mu, n, c, hw, kind);
}
EXPORTED norm_apply_f32(Out<float> y, In<float> x, In<float> mu, In<float> rstd, In<float> gamma, In<float> beta,
                        int32_t n, int32_t c, int32_t hw, int32_t kind) {
    norm_apply(y, x, mu, rstd, gamma, beta, n, c, hw, kind);
}
EXPORTED norm_apply_bf16(Out<bf16> y, In<bf16> x, In<float> mu, In<float> rstd, In<float> gamma, In<float> beta,
                         int32_t n, int32_t c, int32_t hw, int32_t kind) {
    norm_apply(y, x, mu, rstd, gamma, beta, n, c, hw, kind);
}
EXPORTED norm_grad_sums_f32(Out<float> sum1, Out<float> sum2, In<float> dy, In<float> x, In<float> mu, In<float> rstd,
                            int32_t n, int32_t c, int32_t hw, int32_t kind) {
    norm_grad_sums(sum1, sum2, dy, x, mu, rstd, n, c, hw, kind);
}
EXPORTED norm_grad_sums_bf16(Out<float> sum1, Out<float> sum2, In<bf16> dy, In<bf16> x, In<float> mu, In<float> rstd,
                             int32_t n, int32_t c, int32_t hw, int32_t kind) {
    norm_grad_sums(sum1, sum2, dy, x, mu, rstd, n, c, hw, kind);
}
EXPORTED norm_input_grad_f32(Out<float> dx, In<float> dy, In<float> x, In<float> mu, In<float> rstd, In<float> gamma,
                             In<float> mean1, In<float> mean2, int32_t n, int32_t c, int32_t hw, int32_t kind) {
    norm_input_grad(dx, dy, x, mu, rstd, gamma, mean1, mean2, n, c, hw, kind);
}
EXPORTED norm_input_grad_bf16(Out<bf16> dx, In<bf16> dy, In<bf16> x, In<float> mu, In<float> rstd, In<float> gamma,
                              In<float> mean1, In<float> mean2, int32_t n, int32_t c, int32_t hw, int32_t kind) {
    norm_input_grad(dx, dy, x, mu, rstd, gamma, mean1, mean2, n, c, hw, kind);
}

// mu[set] = Σ_set sums / elements. A warp a set (rule Warps).
EXPORTED norm_mean(Out<float> mu, In<float> sums, int32_t n, int32_t c, int32_t hw, int32_t kind) {
    int64_t set = thread() / 32;
    if (set >= sets(n, c, kind)) return; // the whole warp
    float sum = set_sum(sums, [](int32_t) { return 1.f; }, set, n, c, kind);
    if (threadIdx.x % 32 == 0) mu[set] = sum / set_size(n, c, hw, kind);
}

// rstd[set] = 1/√(σ² + eps), σ² = Σ_set sums / elements; moves the running mean and unbiased variance,
// where given, by momentum towards the batch's. A warp a set (rule Warps).
EXPORTED norm_rstd(Out<float> rstd, In<float> sums, In<float> mu, Out<float> mean, Out<float> variance, int32_t n,
                   int32_t c, int32_t hw, int32_t kind, float eps, float momentum) {
    int64_t set = thread() / 32;
    if (set >= sets(n, c, kind)) return; // the whole warp
    float size = set_size(n, c, hw, kind);
    float sum = set_sum(sums, [](int32_t) { return 1.f; }, set, n, c, kind);
    if (threadIdx.x % 32 != 0) return;
    rstd[set] = 1 / sqrtf(sum / size + eps);
    if (mean) mean[set] += momentum * (mu[set] - mean[set]);
    if (variance) variance[set] += momentum * (sum / fmaxf(size - 1, 1) - variance[set]);
}

// mu = mean, rstd = 1/√(variance + eps): a thread a channel (rule Elements).
EXPORTED norm_running(Out<float> mu, Out<float> rstd, In<float> mean, In<float> variance, int32_t c, float eps) {
    int64_t channel = thread();
    if (channel >= c) return;
    mu[channel] = mean[channel];
    rstd[channel] = 1 / sqrtf(variance[channel] + eps);
}

// mean1, mean2 = means over a set of γ·sum1, γ·sum2. A warp a set (rule Warps).
EXPORTED norm_grad_means(Out<float> mean1, Out<float> mean2, In<float> sum1, In<float> sum2, In<float> gamma, int32_t n,
                         int32_t c, int32_t hw, int32_t kind) {
    int64_t set = thread() / 32;
    if (set >= sets(n, c, kind)) return; // the whole warp
    auto weight = [&](int32_t channel) { return float(gamma[channel]); };
    float s1 = set_sum(sum1, weight, set, n, c, kind), s2 = set_sum(sum2, weight, set, n, c, kind);
    float size = set_size(n, c, hw, kind);
    if (threadIdx.x % 32 == 0) mean1[set] = s1 / size, mean2[set] = s2 / size;
}

// dgamma += Σ_images sum2, dbeta += Σ_images sum1 in their order. A thread a channel (rule Elements).
EXPORTED norm_param_grad(Out<float> dgamma, Out<float> dbeta, In<float> sum1, In<float> sum2, int32_t n, int32_t c) {
    int64_t channel = thread();
    if (channel >= c) return;
    float g = 0, b = 0;
    for (int64_t image = 0; image < n; image++) {
        g += sum2[image * c + channel];
        b += sum1[image * c + channel];
    }
    dgamma[channel] += g;
    dbeta[channel] += b;
}
