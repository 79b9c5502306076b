// Optimisers, one launch for all parameters: a thread for four (rule Quads). Definitions:
// backend.Adam, backend.SGD, backend/cpu/asm/pointwise_generic.go.
#include "device.cuh"

// g ← scale·g + decay·p; m ← β₁·m + rest1·g; v ← β₂·v + rest2·g²; p ← p − rate·m/(√v·root + eps),
// with the constants of asm.Adam. 28 bytes a parameter.
EXPORTED_FULL adam(Out<float> p, In<float> g, Out<float> m, Out<float> v, int64_t n, float scale, float decay, float beta1,
              float rest1, float beta2, float rest2, float rate, float root, float eps) {
    int64_t i = 4 * thread();
    bool wide = aligned(p) && aligned(g) && aligned(m) && aligned(v);
    float p4[4], g4[4], m4[4], v4[4];
    load4<float>(p4, p, i, n, wide);
    load4(g4, g, i, n, wide);
    load4<float>(m4, m, i, n, wide);
    load4<float>(v4, v, i, n, wide);
    for (int j = 0; j < 4; j++) {
        float d = scale * g4[j] + decay * p4[j];
        m4[j] = beta1 * m4[j] + rest1 * d;
        v4[j] = beta2 * v4[j] + rest2 * d * d;
        p4[j] -= rate * m4[j] / (sqrtf(v4[j]) * root + eps);
    }
    store4(m, m4, i, n, wide);
    store4(v, v4, i, n, wide);
    store4(p, p4, i, n, wide);
}

// m ← momentum·m + scale·g + decay·p, where first is 1 without the old m, which is not read;
// p ← p − rate·m. 20 bytes a parameter.
EXPORTED sgd(Out<float> p, In<float> g, Out<float> m, int64_t n, float scale, float decay, float momentum, float rate,
             int32_t first) {
    int64_t i = 4 * thread();
    bool wide = aligned(p) && aligned(g) && aligned(m);
    float p4[4], g4[4], m4[4] = {0, 0, 0, 0};
    load4<float>(p4, p, i, n, wide);
    load4(g4, g, i, n, wide);
    if (!first) load4<float>(m4, m, i, n, wide);
    for (int j = 0; j < 4; j++) {
        m4[j] = momentum * m4[j] + (scale * g4[j] + decay * p4[j]);
        p4[j] -= rate * m4[j];
    }
    store4(m, m4, i, n, wide);
    store4(p, p4, i, n, wide);
}
