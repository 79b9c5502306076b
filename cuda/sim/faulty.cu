// Kernels with one mistake each, which the stand-in must notice. They are no part of the product.

// Reads what a neighbour wrote to shared memory, without a barrier between.
EXPORTED faulty_no_barrier(Out<float> y) {
    SHARED(float, s, 64);
    s[threadIdx.x] = 1;
    y[threadIdx.x] = s[threadIdx.x ^ 1];
}

// Writes shared memory that a neighbour may still read.
EXPORTED faulty_early_reuse(Out<float> y) {
    SHARED(float, s, 64);
    s[threadIdx.x] = 1;
    __syncthreads();
    float v = s[threadIdx.x ^ 1];
    s[threadIdx.x] = 2;
    y[threadIdx.x] = v;
}

// Only half of the block comes to the barrier.
EXPORTED faulty_divergent_barrier(Out<float> y) {
    if (threadIdx.x < 32) __syncthreads();
    y[threadIdx.x] = 1;
}

// Half of a warp takes part in a shuffle of all.
EXPORTED faulty_divergent_shuffle(Out<float> y) {
    float v = 1;
    if (threadIdx.x % 32 < 16) v = __shfl_xor_sync(0xffffffffu, v, 1);
    y[threadIdx.x] = v;
}

// All threads write one place.
EXPORTED faulty_same_place(Out<float> y) { y[0] = float(threadIdx.x); }

// Reads what another block wrote.
EXPORTED faulty_across_blocks(Out<float> y) {
    if (threadIdx.x != 0) return;
    y[blockIdx.x] = blockIdx.x == 0 ? 1 : y[blockIdx.x - 1] + 1;
}

// Reads shared memory before anything wrote it.
EXPORTED faulty_unwritten_shared(Out<float> y) {
    SHARED(float, s, 64);
    y[threadIdx.x] = s[threadIdx.x];
}

// Writes beyond shared memory.
EXPORTED faulty_shared_range(Out<float> y) {
    SHARED(float, s, 32);
    s[threadIdx.x] = 1;
    y[threadIdx.x] = 1;
}

// Two halves of a warp shuffle apart from each other, which is allowed.
EXPORTED halves_shuffle(Out<float> y) {
    float v = float(threadIdx.x);
    unsigned mask = threadIdx.x % 32 < 16 ? 0xffffu : 0xffff0000u;
    for (int d = 1; d < (mask == 0xffffu ? 16 : 4); d *= 2) v += __shfl_xor_sync(mask, v, d);
    y[threadIdx.x] = v;
}
