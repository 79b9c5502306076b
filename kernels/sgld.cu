// The Langevin step, the one kernel of the sampling loop that is not part of the network:
//
//   x ← clamp(x + α·clip(g) + σ·ε),  ε ~ N(0,1)
//
// in place, a thread for four numbers or four RGB pixels (rule Stream). 12 bytes a float32 element:
// x and g read, x written; 10 with g in bfloat16, and 2 for the copy. σ = 0 draws no numbers.
// Definition: backend.SGLD, backend/cpu/asm/pointwise_generic.go (sgld, drift).
//
// A thread with twelve numbers in hand takes up to 64 registers, so 1024 threads fill a
// multiprocessor, half of what it can hold. Each has 96 bytes on their way to it, 96 KiB in all,
// where by Little's law some 15 KiB keep the memory of an H100 busy (3.35 TB/s, 132 multiprocessors, 600 ns: an estimate). Held
// to fewer registers ptxas spills.
#include "stream.cuh"

// g and copy have cs ≥ c channels a pixel. copy, where given, gets x rounded to bfloat16 for the
// next forward pass, and 0 in the channels beyond c.
template <class T> struct Langevin {
    Out<float> x;
    In<T> g;
    Out<bf16> copy;
    int64_t n;
    int32_t c, cs;
    float alpha, sigma, clip, lo, hi;
    bool wide;   // all aligned
    bool twelve; // so that RGB pixels can be moved by fours: no channel is skipped, or one

    template <int N> __device__ void operator()(int64_t p, const float (&eps)[N]) const {
        float v[N], d[N];
        load_span<float, N>(v, x, p, n, wide);
        gradient(d, p);
#pragma unroll
        for (int j = 0; j < N; j++) {
            v[j] += alpha * within(d[j], -clip, clip);
            v[j] = within(v[j] + sigma * eps[j], lo, hi);
        }
        store_span<float, N>(x, v, p, n, wide);
        if (copy) keep(v, p);
    }

    template <int N> __device__ void gradient(float (&d)[N], int64_t p) const {
        if (c == cs) {
            load_span<T, N>(d, g, p, n, wide);
        } else if constexpr (N == 12) {
#pragma unroll
            for (int pixel = 0; pixel < 4; pixel++) {
                Four<T> f = get4(g, (p / 3 + pixel) * 4);
                for (int j = 0; j < 3; j++) d[3 * pixel + j] = widen(f.v[j]);
            }
        } else {
            Div at(p, c);
            for (int j = 0; j < N; j++) {
                d[j] = p + j < n ? widen(g[at.quotient * cs + at.remainder]) : 0;
                if (++at.remainder == c) at.remainder = 0, at.quotient++;
            }
        }
    }

    template <int N> __device__ void keep(const float (&v)[N], int64_t p) const {
        if (c == cs) {
            store_span<bf16, N>(copy, v, p, n, wide);
        } else if constexpr (N == 12) {
#pragma unroll
            for (int pixel = 0; pixel < 4; pixel++) {
                Four<bf16> f;
                for (int j = 0; j < 4; j++) f.v[j] = narrow<bf16>(j < 3 ? v[3 * pixel + j % 3] : 0);
                put4(copy, (p / 3 + pixel) * 4, f);
            }
        } else {
            Div at(p, c);
            for (int j = 0; j < N && p + j < n; j++) {
                copy[at.quotient * cs + at.remainder] = narrow<bf16>(v[j]);
                if (++at.remainder != c) continue;
                for (; cs > at.remainder; at.remainder++)
                    copy[at.quotient * cs + at.remainder] = narrow<bf16>(0);
                at.remainder = 0, at.quotient++;
            }
        }
    }
};

template <class T> __device__ void sgld(const Langevin<T> &step, int32_t hw, const Key &key) {
    if (step.sigma == 0)
        stream<None>(step, step.n, step.c, hw, key);
    else
        stream<Normal4>(step, step.n, step.c, hw, key);
}

EXPORTED sgld_f32(Out<float> x, In<float> g, Out<bf16> copy, int64_t n, int32_t c, int32_t hw, int32_t cs, float alpha,
                  float sigma, float clip, float lo, float hi, uint64_t seed, uint32_t step, uint32_t sub,
                  uint64_t first, In<Key> key) {
    bool wide = aligned(x) && aligned(g) && aligned(copy), twelve = wide && (cs == 3 || cs == 4);
    sgld(Langevin<float>{x, g, copy, n, c, cs, alpha, sigma, clip, lo, hi, wide, twelve}, hw,
         key_of(seed, step, sub, first, key));
}
EXPORTED sgld_bf16(Out<float> x, In<bf16> g, Out<bf16> copy, int64_t n, int32_t c, int32_t hw, int32_t cs, float alpha,
                   float sigma, float clip, float lo, float hi, uint64_t seed, uint32_t step, uint32_t sub,
                   uint64_t first, In<Key> key) {
    bool wide = aligned(x) && aligned(g) && aligned(copy), twelve = wide && (cs == 3 || cs == 4);
    sgld(Langevin<bf16>{x, g, copy, n, c, cs, alpha, sigma, clip, lo, hi, wide, twelve}, hw,
         key_of(seed, step, sub, first, key));
}
