// The kernels, compiled for the host, and how a launch's words become their arguments.
#define JEM_SIM
// build.sh says where the kernels are
#include KERNELS
#include "faulty.cu"

#include "core.h"

namespace sim {
namespace {

// Argument reads one argument from its word, and names its type.
template <class T> struct Argument;
template <> struct Argument<int32_t> {
    static constexpr const char *name = "i32";
    static int32_t read(uint64_t w) { return int32_t(uint32_t(w)); }
};
template <> struct Argument<int64_t> {
    static constexpr const char *name = "i64";
    static int64_t read(uint64_t w) { return int64_t(w); }
};
template <> struct Argument<uint32_t> {
    static constexpr const char *name = "u32";
    static uint32_t read(uint64_t w) { return uint32_t(w); }
};
template <> struct Argument<uint64_t> {
    static constexpr const char *name = "u64";
    static uint64_t read(uint64_t w) { return w; }
};
template <> struct Argument<float> {
    static constexpr const char *name = "f32";
    static float read(uint64_t w) { return __uint_as_float(uint32_t(w)); }
};

template <class T> constexpr const char *element = nullptr;
template <> constexpr const char *element<float> = "f32";
template <> constexpr const char *element<bf16> = "bf16";
template <> constexpr const char *element<int32_t> = "i32";
template <> constexpr const char *element<Key> = "key";

template <class T> std::string type_name(In<T> *) { return std::string("in ") + element<T>; }
template <class T> std::string type_name(Out<T> *) { return std::string("out ") + element<T>; }
template <class T> std::string type_name(T *) { return Argument<T>::name; }

template <class T> In<T> read(In<T> *, uint64_t w) { return In<T>(span_of(w)); }
template <class T> Out<T> read(Out<T> *, uint64_t w) { return Out<T>(span_of(w)); }
template <class T> T read(T *, uint64_t w) { return Argument<T>::read(w); }

template <class... A, size_t... I>
std::function<void()> call_with(void (*f)(A...), const std::vector<uint64_t> &w, std::index_sequence<I...>) {
    return [f, args = std::make_tuple(read(static_cast<A *>(nullptr), w[I])...)] { std::apply(f, args); };
}

template <class... A> Kernel kernel(const char *name, void (*f)(A...)) {
    std::string types;
    ((types += (types.empty() ? "" : ", ") + type_name(static_cast<A *>(nullptr))), ...);
    return {name, types, [f](const std::vector<uint64_t> &w) { return call_with(f, w, std::index_sequence_for<A...>()); }};
}

} // namespace

const std::vector<Kernel> &registry() {
    static const auto *all = new std::vector<Kernel>{
#include "registry.inc"
    };
    return *all;
}

} // namespace sim
