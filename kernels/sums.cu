// Sums of squares. Each element is read once: 4 bytes (2 in bfloat16) an element.
#include "reduce.cuh"

// square_sum gives thread 0 the sum of squares of elements first, first + stride, … below n, four
// at a time: each thread sums its own in their order, then block_sum.
template <class T> __device__ float square_sum(In<T> x, int64_t first, int64_t stride, int64_t n) {
    bool wide = aligned(x);
    float sum = 0, v[4];
    for (int64_t i = first; i < n; i += stride) {
        load4(v, x, i, n, wide);
        for (int j = 0; j < 4; j++) sum += v[j] * v[j];
    }
    return block_sum(sum);
}

// norm[r] = √Σ x[r]². A block a row (rule Blocks).
template <class T> __device__ void row_norm(Out<float> norm, In<T> x, int32_t rows, int64_t row) {
    float sum = square_sum(x + int64_t(blockIdx.x) * row, 4 * threadIdx.x, 4 * blockDim.x, row);
    if (threadIdx.x == 0) norm[blockIdx.x] = sqrtf(sum);
}

// parts[b] = Σ x² over every gridDim.x-th run of 1024 elements (rule Parts).
template <class T> __device__ void sum_squares_parts(Out<float> parts, In<T> x, int64_t n) {
    float sum = square_sum(x, 4 * thread(), int64_t(gridDim.x) * 4 * blockDim.x, n);
    if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

// parts[b] = Σ (x·y)² over the elements that sum_squares_parts takes (rule Parts). 8 bytes an element.
EXPORTED product_squares_parts(Out<float> parts, In<float> x, In<float> y, int64_t n) {
    bool wide = aligned(x) && aligned(y);
    float sum = 0, v[4], w[4];
    for (int64_t i = 4 * thread(); i < n; i += 4 * int64_t(gridDim.x) * blockDim.x) {
        load4(v, x, i, n, wide);
        load4(w, y, i, n, wide);
        for (int j = 0; j < 4; j++) sum += v[j] * w[j] * (v[j] * w[j]);
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

EXPORTED row_norm_f32(Out<float> norm, In<float> x, int32_t rows, int64_t row) { row_norm(norm, x, rows, row); }
EXPORTED row_norm_bf16(Out<float> norm, In<bf16> x, int32_t rows, int64_t row) { row_norm(norm, x, rows, row); }
EXPORTED sum_squares_parts_f32(Out<float> parts, In<float> x, int64_t n) { sum_squares_parts(parts, x, n); }
EXPORTED sum_squares_parts_bf16(Out<float> parts, In<bf16> x, int64_t n) { sum_squares_parts(parts, x, n); }

// sum[0] = Σ parts. One block (rule Blocks).
EXPORTED sum_squares(Out<float> sum, In<float> parts, int32_t count) {
    float v = 0;
    for (int32_t i = threadIdx.x; i < count; i += blockDim.x) v += parts[i];
    v = block_sum(v);
    if (threadIdx.x == 0) sum[0] = v;
}
