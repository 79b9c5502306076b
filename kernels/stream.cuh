// Giving element i of the logical (N,C,H,W) order number i of a random stream, where memory is in
// (N,H,W,C) order (rule Stream).
#pragma once

#include "philox.cuh"

// stream calls op(p, r) with the place p of some neighbours in memory and their numbers r:
//
//   - memory in logical order (dense, or one channel or pixel): four neighbours, one block of
//     numbers, a thread;
//   - RGB images of 4·k pixels: four pixels, twelve neighbours, a thread, with a block of numbers
//     for each channel;
//   - other images: four elements, hw·c apart in memory, a thread, called one by one.
//
// The last call of a dense tensor may reach beyond n: op must not.
template <class Numbers, class Op>
__device__ void stream(const Op &op, int64_t n, int32_t c, int32_t hw, const Key &key) {
    int64_t t = thread();
    if (c == 1 || hw == 1) {
        if (4 * t >= n) return;
        float r[4];
        Numbers::numbers(r, words(key, t));
        op(4 * t, r);
    } else if (c == 3 && hw % 4 == 0) {
        if (12 * t >= n) return;
        Div image(t, hw / 4);
        float r[4], all[12];
        for (int channel = 0; channel < 3; channel++) {
            Numbers::numbers(r, words(key, (image.quotient * 3 + channel) * (hw / 4) + image.remainder));
            for (int j = 0; j < 4; j++) all[3 * j + channel] = r[j];
        }
        op(12 * t, all);
    } else {
        if (4 * t >= n) return;
        float r[4];
        Numbers::numbers(r, words(key, t));
        for (int j = 0; j < 4 && 4 * t + j < n; j++) {
            Div row(4 * t + j, hw), image(row.quotient, c);
            float one[1] = {r[j]};
            op((image.quotient * hw + row.remainder) * c + image.remainder, one);
        }
    }
}

// Span moves N neighbours from place p on, those below n, by fours where aligned. N is 1, 4 or 12.
template <class T, int N> __device__ void load_span(float (&v)[N], In<T> x, int64_t p, int64_t n, bool wide) {
    if constexpr (N == 1) {
        v[0] = widen(x[p]);
    } else {
        float four[4];
        for (int i = 0; i < N; i += 4) {
            load4(four, x, p + i, n, wide);
            for (int j = 0; j < 4; j++) v[i + j] = four[j];
        }
    }
}

template <class T, int N> __device__ void store_span(Out<T> x, const float (&v)[N], int64_t p, int64_t n, bool wide) {
    if constexpr (N == 1) {
        x[p] = narrow<T>(v[0]);
    } else {
        for (int i = 0; i < N; i += 4) {
            float four[4] = {v[i], v[i + 1], v[i + 2], v[i + 3]};
            store4(x, four, p + i, n, wide);
        }
    }
}
