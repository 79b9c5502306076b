// Copies between dense rows (N,C,H,W) and images (N,H,W,cs), which also reorder weights, and
// between storages.
#include "device.cuh"

// row_of is rows[i], or i where there are no rows.
__device__ inline int64_t row_of(In<int32_t> rows, int32_t i) { return rows ? int64_t(rows[i]) : i; }

// overtaken reports, to every thread of the block, whether a later row goes to the same place:
// then that one wins.
__device__ inline bool overtaken(In<int32_t> rows, int32_t i, int32_t n) {
    if (!rows) return false;
    bool later = false;
    for (int32_t j = i + 1 + threadIdx.x; j < n; j += blockDim.x) later |= rows[j] == rows[i];
    return __syncthreads_or(later);
}

// dst[dst_rows[i]][p][channel] = src[src_rows[i]][channel][p], 0 in channels c … cs−1. Blocks of
// 1024 elements of one image (rule Tiles), written in order; reads are hw elements apart. 8
// bytes an element; not for the inner loop. A negative source row gives NaN.
template <class T>
__device__ void to_nhwc(Out<T> dst, In<float> src, In<int32_t> dst_rows, In<int32_t> src_rows, int32_t n, int32_t c,
                        int32_t hw, int32_t cs) {
    int32_t i = blockIdx.x;
    int64_t to = row_of(dst_rows, i), from = row_of(src_rows, i), row = int64_t(hw) * cs;
    if (overtaken(dst_rows, i, n) || to < 0) return;
    for (int k = 0; k < 4; k++) {
        int64_t e = (int64_t(blockIdx.y) * 4 + k) * blockDim.x + threadIdx.x;
        if (e >= row) return;
        Div at(e, cs);
        float v = 0;
        if (at.remainder < c)
            v = from < 0 ? __uint_as_float(0x7fc00000) : src[(from * c + at.remainder) * hw + at.quotient];
        dst[to * row + e] = narrow<T>(v);
    }
}

// The way back, assigned or added. Blocks of 1024 elements of a row (rule Tiles), written in
// order. A negative row on either side is skipped.
template <class T>
__device__ void to_nchw(Out<float> dst, In<T> src, In<int32_t> dst_rows, In<int32_t> src_rows, int32_t n, int32_t c,
                        int32_t hw, int32_t cs, int32_t add) {
    int32_t i = blockIdx.x;
    int64_t to = row_of(dst_rows, i), from = row_of(src_rows, i), row = int64_t(hw) * c;
    if (overtaken(dst_rows, i, n) || to < 0 || from < 0) return;
    for (int k = 0; k < 4; k++) {
        int64_t e = (int64_t(blockIdx.y) * 4 + k) * blockDim.x + threadIdx.x;
        if (e >= row) return;
        Div at(e, hw);
        float v = widen(src[(from * hw + at.remainder) * cs + at.quotient]);
        if (add) v += dst[to * row + e];
        dst[to * row + e] = v;
    }
}

EXPORTED to_nhwc_f32(Out<float> dst, In<float> src, In<int32_t> dst_rows, In<int32_t> src_rows, int32_t n, int32_t c,
                     int32_t hw, int32_t cs) {
    to_nhwc(dst, src, dst_rows, src_rows, n, c, hw, cs);
}
EXPORTED to_nhwc_bf16(Out<bf16> dst, In<float> src, In<int32_t> dst_rows, In<int32_t> src_rows, int32_t n, int32_t c,
                      int32_t hw, int32_t cs) {
    to_nhwc(dst, src, dst_rows, src_rows, n, c, hw, cs);
}
EXPORTED to_nchw_f32(Out<float> dst, In<float> src, In<int32_t> dst_rows, In<int32_t> src_rows, int32_t n, int32_t c,
                     int32_t hw, int32_t cs, int32_t add) {
    to_nchw(dst, src, dst_rows, src_rows, n, c, hw, cs, add);
}
EXPORTED to_nchw_bf16(Out<float> dst, In<bf16> src, In<int32_t> dst_rows, In<int32_t> src_rows, int32_t n, int32_t c,
                      int32_t hw, int32_t cs, int32_t add) {
    to_nchw(dst, src, dst_rows, src_rows, n, c, hw, cs, add);
}

// dst (pixels,cs) = src (pixels,c), 0 beyond c. A thread for four elements of dst (rule Quads);
// 6 bytes an element.
EXPORTED f32_to_bf16(Out<bf16> dst, In<float> src, int64_t pixels, int32_t c, int32_t cs) {
    int64_t i = 4 * thread(), n = pixels * cs;
    if (i >= n) return;
    bool wide = aligned(dst) && aligned(src);
    float v[4];
    if (c == cs) {
        load4(v, src, i, n, wide);
    } else {
        Div at(i, cs);
        for (int j = 0; j < 4; j++) {
            v[j] = i + j < n && at.remainder < c ? float(src[at.quotient * c + at.remainder]) : 0.f;
            if (++at.remainder == cs) at.remainder = 0, at.quotient++;
        }
    }
    store4(dst, v, i, n, wide);
}

// dst (pixels,c) = src (pixels,cs) without the channels beyond c. A thread for four elements of
// dst (rule Quads).
EXPORTED bf16_to_f32(Out<float> dst, In<bf16> src, int64_t pixels, int32_t c, int32_t cs) {
    int64_t i = 4 * thread(), n = pixels * c;
    if (i >= n) return;
    bool wide = aligned(dst) && aligned(src);
    float v[4];
    if (c == cs) {
        load4(v, src, i, n, wide);
    } else {
        Div at(i, c);
        for (int j = 0; j < 4; j++) {
            v[j] = i + j < n ? widen(src[at.quotient * cs + at.remainder]) : 0;
            if (++at.remainder == c) at.remainder = 0, at.quotient++;
        }
    }
    store4(dst, v, i, n, wide);
}
