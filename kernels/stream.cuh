// Giving element i of the logical (N,C,H,W) order number i of a random stream, where memory is in
// (N,H,W,C) order (rule Stream).
#pragma once

#include "philox.cuh"

// stream calls op(p, r) with the place p of some neighbours in memory and their numbers r:
//
//   - memory in logical order (dense, or one channel or pixel): four neighbours, one block of
//     numbers, a thread. The last four may reach beyond n: op must not.
//   - RGB images of 4·k pixels: four pixels, twelve neighbours, a thread, with a block of numbers
//     for each channel. Only if op.twelve, which means that op can move them by fours.
//   - other images: four elements, hw apart in logical order, a thread, called one by one.
template <class Numbers, class Op>
__device__ void stream(const Op &op, int64_t n, int32_t c, int32_t hw, const Key &key) {
    int64_t t = thread();
    if (c == 1 || hw == 1) {
        if (4 * t >= n) return;
        float r[4];
        Numbers::numbers(r, words(key, t));
        op(4 * t, r);
    } else if (c == 3 && hw % 4 == 0 && op.twelve) {
        if (12 * t >= n) return;
        Div image(t, hw / 4);
        float r[4], all[12];
#pragma unroll
        for (int channel = 0; channel < 3; channel++) {
            Numbers::numbers(r, words(key, (image.quotient * 3 + channel) * (hw / 4) + image.remainder));
            for (int j = 0; j < 4; j++) all[3 * j + channel] = r[j];
        }
        op(12 * t, all);
    } else {
        for (; 4 * t < n; t += int64_t(gridDim.x) * blockDim.x) {
            float r[4];
            Numbers::numbers(r, words(key, t));
            Div row(4 * t, hw), image(row.quotient, c);
            for (int j = 0; j < 4 && 4 * t + j < n; j++) {
                float one[1] = {r[j]};
                op((image.quotient * hw + row.remainder) * c + image.remainder, one);
                if (++row.remainder < hw) continue;
                row.remainder = 0;
                if (++image.remainder == c) image.remainder = 0, image.quotient++;
            }
        }
    }
}

// load_span and store_span move N neighbours from place p on: one, four of which some may lie
// beyond n, or twelve, which come aligned and whole.
template <class T, int N> __device__ void load_span(float (&v)[N], In<T> x, int64_t p, int64_t n, bool wide) {
    if constexpr (N == 1) v[0] = widen(x[p]);
    if constexpr (N == 4) load4(v, x, p, n, wide);
    if constexpr (N == 12) {
#pragma unroll
        for (int i = 0; i < N; i += 4) {
            Four<T> f = get4(x, p + i);
            for (int j = 0; j < 4; j++) v[i + j] = widen(f.v[j]);
        }
    }
}

template <class T, int N> __device__ void store_span(Out<T> x, const float (&v)[N], int64_t p, int64_t n, bool wide) {
    if constexpr (N == 1) x[p] = narrow<T>(v[0]);
    if constexpr (N == 4) store4(x, v, p, n, wide);
    if constexpr (N == 12) {
#pragma unroll
        for (int i = 0; i < N; i += 4) {
            Four<T> f;
            for (int j = 0; j < 4; j++) f.v[j] = narrow<T>(v[i + j]);
            put4(x, p + i, f);
        }
    }
}
