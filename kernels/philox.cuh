// The random numbers of backend/philox on the device: words and Uniform bit for bit, Normal
// within a few ulp.
#pragma once

#include "device.cuh"

// Key is backend/philox's, and what the key argument of a kernel points at.
struct Key {
    uint64_t seed;
    uint32_t step, sub;
    uint64_t first; // block of four numbers to begin with
};

// key_of is the key that a kernel's last arguments mean (families.go, random).
__device__ inline Key key_of(uint64_t seed, uint32_t step, uint32_t sub, uint64_t first, In<Key> key) {
    Key k{seed, step, sub, first};
    if (!key) return k;
    k = key[0];
    k.sub += sub;
    k.first += first;
    return k;
}

struct Words {
    uint32_t w[4];
};

// words is Philox4x32-10: numbers 4·block … 4·block+3 of the key's stream.
__device__ inline Words words(const Key &key, uint64_t block) {
    uint64_t number = block + key.first;
    uint32_t c0 = uint32_t(number), c1 = uint32_t(number >> 32), c2 = key.step, c3 = key.sub;
    uint32_t k0 = uint32_t(key.seed), k1 = uint32_t(key.seed >> 32);
#pragma unroll
    for (int round = 0; round < 10; round++) {
        uint32_t lo0 = c0 * 0xD2511F53u, hi0 = __umulhi(c0, 0xD2511F53u);
        uint32_t lo1 = c2 * 0xCD9E8D57u, hi1 = __umulhi(c2, 0xCD9E8D57u);
        c0 = hi1 ^ c1 ^ k0, c1 = lo1, c2 = hi0 ^ c3 ^ k1, c3 = lo0;
        k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
    }
    return Words{{c0, c1, c2, c3}};
}

// unit is the word's upper 24 bits in [0,1), exact.
__device__ inline float unit(uint32_t w) { return __fmul_rn(float(w >> 8), 0x1p-24f); }

// log_unit is ln u of u = (⌊w/2⁸⌋ + ½)·2⁻²⁴. u has 25 bits, more than a float32, and near 1 its
// logarithm needs them all; so it is taken from the integer m = u·2²⁵ = 2ᵉ·(1+f) with f in
// [−⅓,⅓), which is exact. The polynomial is the interpolation of (ln(1+f) − f + f²/2)/f³ at nine
// Chebyshev nodes; with it ln(1+f) errs by 4e-9 relatively, before rounding.
__device__ inline float log_unit(uint32_t w) {
    uint32_t m = (w >> 8) * 2 + 1;
    int32_t e = int32_t(__float_as_uint(float(m)) - 0x3f2aaaabu) >> 23;
    float f = float(int32_t(m) - (1 << e)) * __uint_as_float(uint32_t(127 - e) << 23);
    float q = 0x1.d01a22p-4f;
    q = fmaf(q, f, -0x1.fcd036p-4f);
    q = fmaf(q, f, 0x1.bf1af0p-4f);
    q = fmaf(q, f, -0x1.f75896p-4f);
    q = fmaf(q, f, 0x1.24b28cp-3f);
    q = fmaf(q, f, -0x1.557832p-3f);
    q = fmaf(q, f, 0x1.999954p-3f);
    q = fmaf(q, f, -0x1.ffffb6p-3f);
    q = fmaf(q, f, 0x1.555556p-2f);
    float log1p = fmaf(f * f, fmaf(f, q, -0.5f), f);
    return fmaf(float(e - 25), 0x1.62e430p-1f, log1p); // ln 2
}

// normal2 turns two words into two normals (Box and Muller). sincospif needs no reduction of its
// argument by 2π and so no stack.
__device__ inline void normal2(float &z0, float &z1, uint32_t w0, uint32_t w1) {
    float r = sqrtf(-2 * log_unit(w0)), sine, cosine;
    sincospif(float(w1 >> 8) * 0x1p-23f, &sine, &cosine);
    z0 = r * cosine;
    z1 = r * sine;
}

struct Uniform4 {
    __device__ static void numbers(float (&r)[4], const Words &w) {
        for (int j = 0; j < 4; j++) r[j] = unit(w.w[j]);
    }
};

struct Normal4 {
    __device__ static void numbers(float (&r)[4], const Words &w) {
        normal2(r[0], r[1], w.w[0], w.w[1]);
        normal2(r[2], r[3], w.w[2], w.w[3]);
    }
};

// None stands for a distribution that is not drawn from.
struct None {
    __device__ static void numbers(float (&r)[4], const Words &) { r[0] = r[1] = r[2] = r[3] = 0; }
};
