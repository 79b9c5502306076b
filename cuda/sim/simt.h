// What the kernels find in place of CUDA when they are compiled as C++ for the host (JEM_SIM):
// threads of a block that really interleave at barriers and shuffles, pointers and shared memory
// that check every access.
//
// What is an error here: an address out of its allocation, freed, misaligned or not written yet;
// two threads of a launch at one place in memory, one of them writing; two threads of a block at
// one place in shared memory, one of them writing, with no barrier between; a barrier or shuffle
// that some thread does not reach. What it cannot show: the order of blocks (they run one after
// the other), the memory model, registers, the rounding of the GPU's own functions.
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#define __device__
#define __global__
#define threadIdx (sim::self->index)
#define blockIdx (sim::launch.block_index)
#define blockDim (sim::launch.block)
#define gridDim (sim::launch.grid)
#define SHARED(T, name, n) static sim::Shared<T, n> name
#define __syncthreads() sim::barrier(__LINE__, false)
#define __syncthreads_or(p) sim::barrier(__LINE__, p)

namespace sim {

struct Index {
    unsigned x, y, z;
};

struct Lane { // a thread of the block that is running
    Index index;
    unsigned number; // in the block
};
extern Lane *self;

struct Launch {
    Index grid, block, block_index;
    uint32_t tag, first_tag; // of this block and of the launch's first; a thread's is tag + number
    uint32_t epoch; // counts barriers, never starts again
    uint32_t first; // epoch at the start of this block
};
extern Launch launch;

[[noreturn]] void stop(int code, const char *what, const char *detail, long long place, long long size);
bool barrier(int line, bool vote);
uint64_t shuffle(unsigned mask, unsigned from, uint64_t value);

// Span is an allocation as seen from a kernel's argument.
struct Span {
    char *base = nullptr;     // host address of the argument
    long long before = 0, after = 0; // bytes of the allocation on either side of it
    uint8_t *written = nullptr;      // of the argument's place
    uint32_t *writer = nullptr;
    unsigned long long address = 0;
};
Span span_of(unsigned long long address);

// The checks of one access; see core.h for the codes.
inline void check(const Span &s, long long offset, unsigned bytes, const char *what) {
    if (offset < -s.before || offset + bytes > s.after)
        stop(700, what, s.base ? "out of range" : "no device memory", offset, s.after);
    if ((s.address + offset) % (bytes < 8 ? bytes : 8) != 0) stop(716, what, "misaligned", offset, s.after);
}

// by_another reports whether a place was last written by another thread of this launch.
inline bool by_another(uint32_t writer) { return writer >= launch.first_tag && writer != launch.tag + self->number; }

inline void check_read(const Span &s, long long offset, unsigned bytes) {
    check(s, offset, bytes, "read");
    for (long long i = offset / 2; i < (offset + bytes) / 2; i++) {
        if (!s.written[i]) stop(700, "read", "never written", offset, s.after);
        if (by_another(s.writer[i]))
            stop(719, "read", "of what another thread of this launch wrote", offset, s.after);
    }
}

void check_write(const Span &s, long long offset, unsigned bytes);

// In reads device memory, Out reads and writes it.
template <class T> class In {
public:
    In() = default;
    explicit In(const Span &s) : span(s) {}
    explicit operator bool() const { return span.address != 0; }
    T operator[](int64_t i) const {
        long long offset = i * (long long)sizeof(T);
        check_read(span, offset, sizeof(T));
        T v;
        memcpy(&v, span.base + offset, sizeof v);
        return v;
    }
    In operator+(int64_t n) const {
        Span s = span;
        long long bytes = n * (long long)sizeof(T);
        s.base += bytes, s.before += bytes, s.after -= bytes, s.written += bytes / 2, s.writer += bytes / 2, s.address += bytes;
        return In(s);
    }
    Span span;
};

template <class T> class Ref {
public:
    Ref(const Span &s, long long offset) : span(s), offset(offset) {}
    operator T() const {
        check_read(span, offset, sizeof(T));
        T v;
        memcpy(&v, span.base + offset, sizeof v);
        return v;
    }
    const Ref &operator=(const T &v) const {
        check_write(span, offset, sizeof(T));
        memcpy(span.base + offset, &v, sizeof v);
        return *this;
    }
    const Ref &operator=(const Ref &r) const { return *this = T(r); }
    const Ref &operator+=(const T &v) const { return *this = T(*this) + v; }

private:
    const Span &span;
    long long offset;
};

template <class T> class Out {
public:
    Out() = default;
    explicit Out(const Span &s) : span(s) {}
    explicit operator bool() const { return span.address != 0; }
    operator In<T>() const { return In<T>(span); }
    Ref<T> operator[](int64_t i) const { return Ref<T>(span, i * (long long)sizeof(T)); }
    Span span;
};

// Shared is an array in shared memory. Its content does not outlive the block.
template <class T, int n> class Shared {
    struct Cell {
        T value;
        uint32_t written = 0, read = 0; // epochs
        uint32_t writer = 0, reader = 0; // threads; several readers are many
    };
    static constexpr uint32_t many = 0xffffffff;
    Cell cells[n];
    Cell &at(int64_t i, const char *what) {
        if (i < 0 || i >= n) stop(700, what, "out of range of shared memory", i, n);
        return cells[i];
    }

public:
    class Place {
        Shared &array;
        int64_t i;

    public:
        Place(Shared &array, int64_t i) : array(array), i(i) {}
        operator T() const {
            Cell &c = array.at(i, "read");
            if (c.written < launch.first) stop(700, "read", "never written, in shared memory", i, n);
            if (c.written == launch.epoch && c.writer != self->number)
                stop(719, "read", "of what another thread wrote to shared memory, no barrier between", i, n);
            c.reader = c.read == launch.epoch && c.reader != self->number ? many : self->number;
            c.read = launch.epoch;
            return c.value;
        }
        const Place &operator=(const T &v) const {
            Cell &c = array.at(i, "write");
            if ((c.written == launch.epoch && c.writer != self->number) || (c.read == launch.epoch && c.reader != self->number))
                stop(719, "write", "to what another thread uses in shared memory, no barrier between", i, n);
            c.value = v, c.writer = self->number, c.written = launch.epoch;
            return *this;
        }
    };
    Place operator[](int64_t i) { return Place(*this, i); }
};

} // namespace sim

using sim::In;
using sim::Out;

// Device functions. The float32 arithmetic is the host's, which rounds alike.
inline uint32_t __float_as_uint(float v) {
    uint32_t u;
    memcpy(&u, &v, 4);
    return u;
}
inline float __uint_as_float(uint32_t u) {
    float v;
    memcpy(&v, &u, 4);
    return v;
}
inline int32_t min(int32_t a, int32_t b) { return a < b ? a : b; }
inline int32_t max(int32_t a, int32_t b) { return a > b ? a : b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline uint32_t __umulhi(uint32_t a, uint32_t b) { return uint32_t(uint64_t(a) * b >> 32); }
inline void sincospif(float x, float *sine, float *cosine) {
    *sine = float(sin(M_PI * double(x)));
    *cosine = float(cos(M_PI * double(x)));
}
inline float __shfl_xor_sync(unsigned mask, float v, int d) {
    return __uint_as_float(uint32_t(sim::shuffle(mask, (sim::self->number ^ unsigned(d)) % 32, __float_as_uint(v))));
}

inline double __shfl_xor_sync(unsigned mask, double v, int d) {
    uint64_t bits;
    memcpy(&bits, &v, 8);
    bits = sim::shuffle(mask, (sim::self->number ^ unsigned(d)) % 32, bits);
    memcpy(&v, &bits, 8);
    return v;
}

// Moves of four elements, which need their alignment.
template <class T> struct Four;
template <class T> bool aligned(const In<T> &p) { return p.span.address % (4 * sizeof(T)) == 0; }
template <class T> bool aligned(const Out<T> &p) { return p.span.address % (4 * sizeof(T)) == 0; }
inline void check_four(unsigned long long address, unsigned bytes, long long i) {
    if (address % bytes != 0) sim::stop(716, "move of four", "misaligned", i, bytes);
}
template <class T> Four<T> get4(const In<T> &p, int64_t i) {
    check_four(p.span.address + i * sizeof(T), 4 * sizeof(T), i);
    Four<T> f;
    for (int j = 0; j < 4; j++) f.v[j] = p[i + j];
    return f;
}
template <class T> void put4(const Out<T> &p, int64_t i, const Four<T> &f) {
    check_four(p.span.address + i * sizeof(T), 4 * sizeof(T), i);
    for (int j = 0; j < 4; j++) p[i + j] = f.v[j];
}

// set_bit0 is the one atomic: several threads may do it.
void set_bit0(const Out<int32_t> &p);
