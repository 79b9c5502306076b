// Sums within a warp and a block, in a fixed order: pairs at distance 16, 8, 4, 2, 1.
#pragma once

#include "device.cuh"

constexpr unsigned whole_warp = 0xffffffffu;

// warp_sum gives every lane the sum over the warp.
template <class T> __device__ T warp_sum(T v) {
    for (int d = 16; d > 0; d /= 2) v += __shfl_xor_sync(whole_warp, v, d);
    return v;
}

// warp_max gives every lane the maximum over the warp. NaN loses.
__device__ inline float warp_max(float v) {
    for (int d = 16; d > 0; d /= 2) v = fmaxf(v, __shfl_xor_sync(whole_warp, v, d));
    return v;
}

// block_sum gives thread 0 the sum over a block of 256 threads: by warp, then over the warps.
template <class T> __device__ T block_sum(T v) {
    SHARED(T, part, 8);
    v = warp_sum(v);
    if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = v;
    __syncthreads();
    if (threadIdx.x < 32) v = warp_sum(threadIdx.x < 8 ? T(part[threadIdx.x]) : T(0));
    return v;
}

// column_sum gives the threads with y = 0 the sum over y of a block of 32 × 8 threads.
// It may be called again after a barrier.
__device__ inline float column_sum(float v) {
    SHARED(float, part, 256);
    part[threadIdx.y * 32 + threadIdx.x] = v;
    __syncthreads();
    if (threadIdx.y == 0)
        for (int y = 1; y < 8; y++) v += part[y * 32 + threadIdx.x];
    return v;
}
