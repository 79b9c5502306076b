// Random fills and dropout, functions of a key (rule Stream). Definition: backend/philox.
#include "stream.cuh"

// *key = {seed, step, sub, first}: a single thread. The other kernels read it where their key argument
// points at it, which lets a captured graph draw new numbers at each replay.
EXPORTED key_set(Out<Key> key, uint64_t seed, uint32_t step, uint32_t sub, uint64_t first) {
    key[0] = Key{seed, step, sub, first};
}

// dst = a + b·number, the product rounded before the sum so that every device gives the same bits.
// 4 bytes (2) an element.
template <class T> struct Affine {
    Out<T> dst;
    int64_t n;
    float a, b;
    bool twelve; // all aligned
    template <int N> __device__ void operator()(int64_t p, const float (&r)[N]) const {
        float v[N];
        for (int j = 0; j < N; j++) v[j] = __fadd_rn(a, __fmul_rn(b, r[j]));
        store_span<T, N>(dst, v, p, n, twelve);
    }
};

// dst = number < rate ? 0 : scale·src. 8 bytes (4) an element.
template <class T> struct Drop {
    Out<T> dst;
    In<T> src;
    int64_t n;
    float rate, scale;
    bool twelve; // all aligned
    template <int N> __device__ void operator()(int64_t p, const float (&r)[N]) const {
        float v[N];
        load_span<T, N>(v, src, p, n, twelve);
        for (int j = 0; j < N; j++) v[j] = r[j] < rate ? 0 : v[j] * scale;
        store_span<T, N>(dst, v, p, n, twelve);
    }
};

template <class T>
__device__ void dropout(Out<T> dst, In<T> src, int64_t n, int32_t c, int32_t hw, float rate, float scale,
                        const Key &key) {
    stream<Uniform4>(Drop<T>{dst, src, n, rate, scale, aligned(dst) && aligned(src)}, n, c, hw, key);
}

EXPORTED uniform_f32(Out<float> dst, int64_t n, int32_t c, int32_t hw, float lo, float width, uint64_t seed,
                     uint32_t step, uint32_t sub, uint64_t first, In<Key> key) {
    stream<Uniform4>(Affine<float>{dst, n, lo, width, aligned(dst)}, n, c, hw, key_of(seed, step, sub, first, key));
}
EXPORTED uniform_bf16(Out<bf16> dst, int64_t n, int32_t c, int32_t hw, float lo, float width, uint64_t seed,
                      uint32_t step, uint32_t sub, uint64_t first, In<Key> key) {
    stream<Uniform4>(Affine<bf16>{dst, n, lo, width, aligned(dst)}, n, c, hw, key_of(seed, step, sub, first, key));
}
EXPORTED normal_f32(Out<float> dst, int64_t n, int32_t c, int32_t hw, float mean, float std, uint64_t seed,
                    uint32_t step, uint32_t sub, uint64_t first, In<Key> key) {
    stream<Normal4>(Affine<float>{dst, n, mean, std, aligned(dst)}, n, c, hw, key_of(seed, step, sub, first, key));
}
EXPORTED normal_bf16(Out<bf16> dst, int64_t n, int32_t c, int32_t hw, float mean, float std, uint64_t seed,
                     uint32_t step, uint32_t sub, uint64_t first, In<Key> key) {
    stream<Normal4>(Affine<bf16>{dst, n, mean, std, aligned(dst)}, n, c, hw, key_of(seed, step, sub, first, key));
}
EXPORTED dropout_f32(Out<float> dst, In<float> src, int64_t n, int32_t c, int32_t hw, float rate, float scale,
                     uint64_t seed, uint32_t step, uint32_t sub, uint64_t first, In<Key> key) {
    dropout(dst, src, n, c, hw, rate, scale, key_of(seed, step, sub, first, key));
}
EXPORTED dropout_bf16(Out<bf16> dst, In<bf16> src, int64_t n, int32_t c, int32_t hw, float rate, float scale,
                      uint64_t seed, uint32_t step, uint32_t sub, uint64_t first, In<Key> key) {
    dropout(dst, src, n, c, hw, rate, scale, key_of(seed, step, sub, first, key));
}
