// Pooling over windows, for networks that score images. Definition: package backend's Windower.
#include "device.cuh"

// Largest and Mean are what becomes of the values in a window, taken row by row. A NaN makes the
// result NaN.
struct Largest {
    float v = __uint_as_float(0xff800000); // −∞
    __device__ void take(float x) { v = x > v || x != x ? x : v; }
    __device__ float result() const { return v; }
};
struct Mean {
    float sum = 0;
    int32_t count = 0;
    __device__ void take(float x) { sum += x, count++; }
    __device__ float result() const { return sum / count; }
};

// y[image][row][col][channel] over the window at (row·stride − pad, col·stride − pad), as far as it
// lies inside the image. A thread an output (rule Elements); size² reads each, most from the cache.
template <class Pool, class T>
__device__ void pool(Out<T> y, In<T> x, int32_t n, int32_t c, int32_t h, int32_t w, int32_t size, int32_t stride,
                     int32_t pad) {
    int32_t oh = (h + 2 * pad - size) / stride + 1, ow = (w + 2 * pad - size) / stride + 1;
    int64_t i = thread();
    if (i >= int64_t(n) * oh * ow * c) return;
    Div channel(i, c), col(channel.quotient, ow), row(col.quotient, oh);
    int32_t top = row.remainder * stride - pad, left = col.remainder * stride - pad;
    Pool p;
    for (int32_t r = max(top, 0); r < min(top + size, h); r++)
        for (int32_t k = max(left, 0); k < min(left + size, w); k++)
            p.take(widen(x[((row.quotient * h + r) * w + k) * c + channel.remainder]));
    y[i] = narrow<T>(p.result());
}

EXPORTED max_pool_f32(Out<float> y, In<float> x, int32_t n, int32_t c, int32_t h, int32_t w, int32_t size,
                      int32_t stride, int32_t pad) {
    pool<Largest>(y, x, n, c, h, w, size, stride, pad);
}
EXPORTED max_pool_bf16(Out<bf16> y, In<bf16> x, int32_t n, int32_t c, int32_t h, int32_t w, int32_t size,
                       int32_t stride, int32_t pad) {
    pool<Largest>(y, x, n, c, h, w, size, stride, pad);
}
EXPORTED mean_pool_f32(Out<float> y, In<float> x, int32_t n, int32_t c, int32_t h, int32_t w, int32_t size,
                       int32_t stride, int32_t pad) {
    pool<Mean>(y, x, n, c, h, w, size, stride, pad);
}
EXPORTED mean_pool_bf16(Out<bf16> y, In<bf16> x, int32_t n, int32_t c, int32_t h, int32_t w, int32_t size,
                        int32_t stride, int32_t pad) {
    pool<Mean>(y, x, n, c, h, w, size, stride, pad);
}
