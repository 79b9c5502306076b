// The card, its contexts, modules and launches, and the driver's texts for its codes.
#include "core.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>

using namespace sim;

namespace {

struct Context {};
std::set<Context *> &contexts() {
    static auto *c = new std::set<Context *>;
    return *c;
}
thread_local std::vector<Context *> current; // stack
Context *primary;                            // the card's own, shared by all who retain it
int retained;                                // how often it is

struct Module {};
std::set<Module *> &modules() {
    static auto *m = new std::set<Module *>;
    return *m;
}

const Kernel *kernel_named(const char *name) {
    for (const Kernel &k : registry())
        if (strcmp(k.name, name) == 0) return &k;
    return nullptr;
}

// capability is the compute capability that the card claims: JEM_SIM_SM, else 90.
int capability() {
    const char *sm = getenv("JEM_SIM_SM");
    return sm ? atoi(sm) : 90;
}

// looks_loadable tells a fatbin, a cubin or PTX from other bytes, and takes the note of a build
// without nvcc.
bool looks_loadable(const char *image) {
    uint32_t magic;
    memcpy(&magic, image, 4);
    bool ptx = memcmp(image, "//\n", 3) == 0 || memcmp(image, ".ver", 4) == 0;
    return magic == 0xBA55ED50 || memcmp(image, "\x7f" "ELF", 4) == 0 || ptx || memcmp(image, "stand-in", 8) == 0;
}

} // namespace

bool sim::has_context() { return !current.empty() && contexts().count(current.back()); }

EXPORT int cuInit(unsigned flags) {
    ENTER(nothing);
    state().initialised = true;
    return flags == 0 ? ok : invalid_value;
}

EXPORT int cuDriverGetVersion(int *version) {
    ENTER(nothing);
    *version = 13000;
    return ok;
}

EXPORT int cuDeviceGetCount(int *n) {
    ENTER(driver);
    *n = 1;
    return ok;
}

EXPORT int cuDeviceGet(int *device, int ordinal) {
    ENTER(driver);
    *device = 0;
    return ordinal == 0 ? ok : invalid_device;
}

EXPORT int cuDeviceGetName(char *name, int n, int) {
    ENTER(driver);
    strncpy(name, "stand-in for a GPU", size_t(n));
    return ok;
}

EXPORT int cuDeviceTotalMem_v2(size_t *bytes, int) {
    ENTER(driver);
    *bytes = state().limit;
    return ok;
}

EXPORT int cuDeviceGetAttribute(int *value, int attribute, int) {
    ENTER(driver);
    switch (attribute) {
    case 1: *value = 1024; return ok;               // threads of a block
    case 8: *value = 48 << 10; return ok;           // shared memory of a block
    case 10: *value = 32; return ok;                // warp
    case 13: *value = 1000000; return ok;           // clock, kHz
    case 16: *value = 4; return ok;                 // multiprocessors
    case 36: *value = 1000000; return ok;           // memory clock, kHz
    case 37: *value = 64; return ok;                // bus, bits
    case 75: *value = capability() / 10; return ok; // compute capability
    case 76: *value = capability() % 10; return ok;
    }
    complain("cuDeviceGetAttribute(%d): not among the attributes that the stand-in has", attribute);
    return not_supported;
}

EXPORT int cuCtxCreate_v2(void **ctx, unsigned, int) {
    ENTER(driver);
    auto *c = new Context;
    contexts().insert(c);
    current.push_back(c);
    *ctx = c;
    return ok;
}

// end takes a context away. The last one takes all it had along, and its error. What is left to take was forgotten,
// unless an error kept it from being given back.
static void end(Context *c) {
    if (!current.empty() && current.back() == c) current.pop_back();
    drain_all();
    contexts().erase(c);
    delete c;
    if (!contexts().empty()) return;
    State &s = state();
    bool dead = s.sticky != 0;
    auto forgotten = [dead](const char *what, size_t n) {
        if (n == 0 || dead) return;
        complain("%zu %s were never given back", n, what);
        count("leaked", static_cast<long long>(n));
    };
    forgotten("allocations of device memory", s.memory.size());
    forgotten("allocations of pinned memory", s.pinned.size());
    forgotten("streams", s.streams.size());
    forgotten("events and graphs", forget_handles());
    for (auto &[host, _] : s.pinned) free(host);
    s.pinned.clear();
    s.memory.clear();
    s.streams.clear();
    s.counters["live"] = s.counters["live_bytes"] = 0;
    s.sticky = 0;
}

EXPORT int cuCtxDestroy_v2(void *ctx) {
    ENTER(driver);
    auto *c = static_cast<Context *>(ctx);
    if (!contexts().count(c) || c == primary) return invalid_context;
    end(c);
    return ok;
}

EXPORT int cuDevicePrimaryCtxRetain(void **ctx, int device) {
    ENTER(driver);
    if (device != 0) return invalid_device;
    if (retained++ == 0) {
        primary = new Context;
        contexts().insert(primary);
    }
    *ctx = primary;
    return ok;
}

EXPORT int cuDevicePrimaryCtxRelease_v2(int device) {
    ENTER(driver);
    if (device != 0) return invalid_device;
    if (retained == 0) {
        complain("cuDevicePrimaryCtxRelease of a context that nobody holds");
        return invalid_context;
    }
    if (--retained == 0) {
        end(primary);
        primary = nullptr;
    }
    return ok;
}

EXPORT int simPrimary(void) {
    std::lock_guard<std::recursive_mutex> guard(state().lock);
    return primary && !current.empty() && current.back() == primary;
}

EXPORT int cuCtxSetCurrent(void *ctx) {
    ENTER(driver);
    if (!current.empty()) current.pop_back();
    if (!ctx) return ok;
    if (!contexts().count(static_cast<Context *>(ctx))) return invalid_context;
    current.push_back(static_cast<Context *>(ctx));
    return ok;
}

EXPORT int cuCtxGetCurrent(void **ctx) {
    ENTER(driver);
    *ctx = current.empty() ? nullptr : current.back();
    return ok;
}

EXPORT int cuCtxPushCurrent_v2(void *ctx) {
    ENTER(driver);
    if (!contexts().count(static_cast<Context *>(ctx))) return invalid_context;
    current.push_back(static_cast<Context *>(ctx));
    return ok;
}

EXPORT int cuCtxPopCurrent_v2(void **ctx) {
    ENTER(driver);
    if (current.empty()) return invalid_context;
    if (ctx) *ctx = current.back();
    current.pop_back();
    return ok;
}

EXPORT int cuCtxGetDevice(int *device) {
    ENTER(context);
    *device = 0;
    return ok;
}

EXPORT int cuModuleLoadData(void **module, const void *image) {
    ENTER(context);
    if (!image || !looks_loadable(static_cast<const char *>(image))) return invalid_image;
    auto *m = new Module;
    modules().insert(m);
    *module = m;
    return ok;
}

EXPORT int cuModuleUnload(void *module) {
    ENTER(context);
    auto *m = static_cast<Module *>(module);
    if (!modules().erase(m)) return invalid_handle;
    delete m;
    return ok;
}

EXPORT int cuModuleGetFunction(const void **function, void *module, const char *name) {
    ENTER(context);
    if (!modules().count(static_cast<Module *>(module))) return invalid_handle;
    *function = kernel_named(name);
    if (*function) return ok;
    complain("cuModuleGetFunction: no kernel %s", name);
    return not_found;
}

EXPORT int cuLaunchKernel(const void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                          unsigned shared, CUstream s, void **params, void **extra) {
    ENTER(context);
    auto *k = static_cast<const Kernel *>(function);
    bool known = !registry().empty() && k >= &registry().front() && k <= &registry().back();
    if (!known) return invalid_handle;
    unsigned long long threads = 1ull * bx * by * bz;
    bool empty = gx == 0 || gy == 0 || gz == 0 || threads == 0;
    bool large = gx > 0x7fffffffu || gy > 65535 || gz > 65535 || threads > 1024 || bz > 64 || shared > 48 << 10;
    if (empty || large || extra || !params) {
        complain("cuLaunchKernel(%s): grid %u×%u×%u, block %u×%u×%u, %u bytes of shared memory", k->name, gx, gy, gz, bx, by,
                 bz, shared);
        return invalid_value;
    }
    size_t n = size_t(std::count(k->types.begin(), k->types.end(), ',')) + 1;
    std::vector<uint64_t> words(n);
    for (size_t i = 0; i < n; i++) memcpy(&words[i], params[i], 8); // callers give eight bytes for each
    Stream *stream = s ? reinterpret_cast<Stream *>(s) : &state().main;
    if (s && !state().streams.count(stream)) return invalid_handle;
    count(stream->capturing ? "captured" : "launches");
    return put(stream, k->name, [=] { execute(*k, Dim{gx, gy, gz}, Dim{bx, by, bz}, words); });
}

static const struct {
    int code;
    const char *name, *text;
} texts[] = {
    {0, "CUDA_SUCCESS", "no error"},
    {1, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {3, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {100, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {101, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {200, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
    {201, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {214, "CUDA_ERROR_ECC_UNCORRECTABLE", "uncorrectable ECC error encountered"},
    {400, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {500, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {600, "CUDA_ERROR_NOT_READY", "device not ready"},
    {700, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {716, "CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"},
    {719, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {801, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
    {900, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"},
    {901, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "operation failed due to a previous error during capture"},
    {903, "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED", "capture was not ended in the same stream as it began"},
    {999, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

EXPORT int cuGetErrorName(int code, const char **name) {
    *name = nullptr;
    for (auto &t : texts)
        if (t.code == code) *name = t.name;
    return *name ? ok : invalid_value;
}

EXPORT int cuGetErrorString(int code, const char **text) {
    *text = nullptr;
    for (auto &t : texts)
        if (t.code == code) *text = t.text;
    return *text ? ok : invalid_value;
}

// refuse is what every entry point does that only has to exist.
EXPORT int simRefuse(const char *name) {
    Entry entry(name, nothing);
    complain("%s is not among the calls that the stand-in has", name);
    return not_supported;
}

// simKernelName and simKernelTypes list the kernels, and null after the last.
EXPORT const char *simKernelName(size_t i) { return i < registry().size() ? registry()[i].name : nullptr; }
EXPORT const char *simKernelTypes(size_t i) { return i < registry().size() ? registry()[i].types.c_str() : nullptr; }
