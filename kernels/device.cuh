// What every kernel uses: storage types, checked pointers, and moves of four elements.
//
// In<T> and Out<T> are plain pointers on a GPU. The stand-in (JEM_SIM) makes them classes that
// check every access, so kernels index them and never turn them into anything else.
#pragma once

#include <stdint.h>

#ifdef JEM_SIM
#include "simt.h"
#else
template <class T> using In = const T *;
template <class T> using Out = T *;
#define SHARED(T, name, n) __shared__ T name[n]
#endif

// EXPORTED begins a kernel, of at most 256 threads a block; EXPORTED_FULL one whose registers must
// let as many blocks run as a multiprocessor has threads for.
#ifdef JEM_SIM
#define EXPORTED extern "C" void
#define EXPORTED_FULL EXPORTED
#else
#if defined __CUDA_ARCH__ && __CUDA_ARCH__ == 750
#define FULL_BLOCKS 4
#elif defined __CUDA_ARCH__ && (__CUDA_ARCH__ == 860 || __CUDA_ARCH__ == 890 || __CUDA_ARCH__ >= 1200)
#define FULL_BLOCKS 6
#else
#define FULL_BLOCKS 8
#endif
#define EXPORTED extern "C" __global__ void __launch_bounds__(256)
#define EXPORTED_FULL extern "C" __global__ void __launch_bounds__(256, FULL_BLOCKS)
#endif

// bf16 is bfloat16: the upper half of a float32.
struct bf16 {
    uint16_t bits;
};

__device__ inline float widen(float v) { return v; }
__device__ inline float widen(bf16 v) { return __uint_as_float(uint32_t(v.bits) << 16); }

// narrow rounds to nearest, ties to even; NaN stays NaN.
template <class T> __device__ T narrow(float v);
template <> __device__ inline float narrow<float>(float v) { return v; }
template <> __device__ inline bf16 narrow<bf16>(float v) {
    uint32_t u = __float_as_uint(v);
    u = v == v ? u + 0x7fff + (u >> 16 & 1) : u | 0x400000;
    return bf16{uint16_t(u >> 16)};
}

// Four is four stored elements, moved at once: 16 bytes of float32, 8 of bfloat16.
template <class T> struct alignas(4 * sizeof(T)) Four {
    T v[4];
};

#ifndef JEM_SIM
template <class T> __device__ bool aligned(const T *p) { return (uintptr_t(p) & (4 * sizeof(T) - 1)) == 0; }
template <class T> __device__ Four<T> get4(const T *p, int64_t i) { return *reinterpret_cast<const Four<T> *>(p + i); }
template <class T> __device__ void put4(T *p, int64_t i, const Four<T> &f) { *reinterpret_cast<Four<T> *>(p + i) = f; }
__device__ inline void set_bit0(int32_t *p) { atomicOr(p, 1); }
#endif

// load4 reads elements i … i+3 below n; those beyond are 0. wide says that p is aligned.
template <class T> __device__ void load4(float (&v)[4], In<T> p, int64_t i, int64_t n, bool wide) {
    if (wide && i + 4 <= n) {
        Four<T> f = get4(p, i);
        for (int j = 0; j < 4; j++) v[j] = widen(f.v[j]);
        return;
    }
    for (int j = 0; j < 4; j++) v[j] = i + j < n ? widen(p[i + j]) : 0;
}

// store4 is the way back.
template <class T> __device__ void store4(Out<T> p, const float (&v)[4], int64_t i, int64_t n, bool wide) {
    if (wide && i + 4 <= n) {
        Four<T> f;
        for (int j = 0; j < 4; j++) f.v[j] = narrow<T>(v[j]);
        put4(p, i, f);
        return;
    }
    for (int j = 0; j < 4; j++)
        if (i + j < n) p[i + j] = narrow<T>(v[j]);
}

// thread is the number of this thread in a grid of one dimension.
__device__ inline int64_t thread() { return int64_t(blockIdx.x) * blockDim.x + threadIdx.x; }

// Div divides with remainder. Element numbers have 32 bits (Rule.Launch sees to it), which divide
// seven times as fast as 64; offsets made of the parts have 64.
struct Div {
    int64_t quotient;
    int32_t remainder;
    __device__ Div(int64_t a, int32_t b) {
        uint32_t q = uint32_t(a) / uint32_t(b);
        quotient = q, remainder = int32_t(uint32_t(a) - q * uint32_t(b));
    }
};

// leaky and gate are LeakyReLU and its derivative times g. A NaN stays one.
__device__ inline float leaky(float v, float slope) { return v > 0 ? v : slope * v; }
__device__ inline float gate(float g, float act, float slope) { return act > 0 ? g : slope * g; }

// within clamps; a NaN stays one, which fminf and fmaxf would not do.
__device__ inline float within(float v, float lo, float hi) { return v < lo ? lo : v > hi ? hi : v; }
