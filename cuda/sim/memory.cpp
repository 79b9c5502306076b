// Device memory, pinned host memory and copies.
#include "core.h"

#include <cstdlib>
#include <cstring>

namespace sim {

Memory::Memory(Address address, size_t bytes)
    : address(address), bytes(bytes), host(static_cast<char *>(aligned_alloc(64, (bytes + 63) / 64 * 64))),
      written((bytes + 1) / 2), writer((bytes + 1) / 2) {
    memset(host, 0xff, bytes);
}

Memory::~Memory() { free(host); }

void Memory::spoil(size_t offset, size_t n) {
    memset(host + offset, 0xff, n);
    memset(written.data() + offset / 2, 0, (n + 1) / 2);
}

void Memory::mark(size_t offset, size_t n) { memset(written.data() + offset / 2, 1, (n + 1) / 2); }

bool Memory::read_before_write(size_t offset, size_t n) const {
    return memchr(written.data() + offset / 2, 0, (n + 1) / 2) != nullptr;
}

Memory *find(Address address) {
    auto next = state().memory.upper_bound(address);
    if (next == state().memory.begin()) return nullptr;
    Memory *m = std::prev(next)->second.get();
    return address < m->address + m->bytes ? m : nullptr;
}

Memory *reach(Address address, size_t bytes, const char *what) {
    Memory *m = find(address);
    if (!m) fault(illegal_address, "%s: %#llx is no device memory, or was freed", what, address);
    if (bytes > m->bytes - (address - m->address))
        fault(illegal_address, "%s: %zu bytes at byte %llu of an allocation of %zu", what, bytes, address - m->address, m->bytes);
    return m;
}

// source and target are the host addresses of device memory that is read or written.
static const char *source(Address address, size_t bytes, const char *what) {
    Memory *m = reach(address, bytes, what);
    if (m->read_before_write(address - m->address, bytes))
        fault(illegal_address, "%s: reads memory that was never written, among %zu bytes at byte %llu of %zu", what, bytes,
              address - m->address, m->bytes);
    return m->host + (address - m->address);
}

static char *target(Address address, size_t bytes, const char *what) {
    Memory *m = reach(address, bytes, what);
    m->mark(address - m->address, bytes);
    return m->host + (address - m->address);
}

// is_pinned reports whether a range of host memory stays in place for a late copy.
static bool is_pinned(const void *p, size_t bytes) {
    char *at = static_cast<char *>(const_cast<void *>(p));
    auto next = state().pinned.upper_bound(at);
    if (next == state().pinned.begin()) return false;
    auto &[start, size] = *std::prev(next);
    return size_t(at - start) <= size && bytes <= size - size_t(at - start);
}

static int pageable(const char *what) {
    complain("%s of host memory that is not pinned: it may be gone when the copy happens", what);
    return invalid_value;
}

// now runs work at once, after what the default stream and those that wait for it hold.
static int now(const char *name, std::function<void()> run) {
    if (int code = waits()) return code;
    if (int code = put(&state().main, name, std::move(run))) return code;
    for (auto &[stream, _] : state().streams)
        if (stream->blocking) drain(stream, stream->queued);
    drain(&state().main, state().main.queued);
    return state().sticky;
}

static int copy_in(Address dst, const void *src, size_t bytes, Stream *stream) {
    count("host_copies");
    if (!is_pinned(src, bytes)) return pageable("cuMemcpyHtoDAsync");
    std::vector<char> seen(static_cast<const char *>(src), static_cast<const char *>(src) + bytes);
    bool captured = stream->capturing; // a graph copies what is there when it is launched
    return put(stream, "cuMemcpyHtoDAsync", [=] {
        if (!is_pinned(src, bytes)) fault(illegal_address, "cuMemcpyHtoDAsync: the host memory was freed before the copy");
        if (!captured && memcmp(src, seen.data(), bytes) != 0)
            fault(illegal_address, "cuMemcpyHtoDAsync: the host memory was changed before the copy");
        memcpy(target(dst, bytes, "cuMemcpyHtoDAsync"), src, bytes);
    });
}

static int copy_out(void *dst, Address src, size_t bytes, Stream *stream) {
    count("host_copies");
    if (!is_pinned(dst, bytes)) return pageable("cuMemcpyDtoHAsync");
    if (!stream->capturing) memset(dst, 0xff, bytes); // until the copy is waited for
    return put(stream, "cuMemcpyDtoHAsync", [=] {
        if (!is_pinned(dst, bytes)) fault(illegal_address, "cuMemcpyDtoHAsync: the host memory was freed before the copy");
        memcpy(dst, source(src, bytes, "cuMemcpyDtoHAsync"), bytes);
    });
}

static void copy_within(Address dst, Address src, size_t bytes, const char *what) {
    Memory *from = reach(src, bytes, what), *to = reach(dst, bytes, what);
    if (from == to && src < dst + bytes && dst < src + bytes && bytes > 0) fault(illegal_address, "%s: the ranges overlap", what);
    memmove(to->host + (dst - to->address), from->host + (src - from->address), bytes);
    // What was not written there is not written here either.
    memmove(to->written.data() + (dst - to->address) / 2, from->written.data() + (src - from->address) / 2, (bytes + 1) / 2);
}

template <class T> static void set(Address dst, T value, size_t n, const char *what) {
    if (dst % sizeof(T) != 0) fault(illegal_address, "%s: misaligned", what);
    char *to = target(dst, n * sizeof(T), what);
    for (size_t i = 0; i < n; i++) memcpy(to + i * sizeof(T), &value, sizeof(T));
}

static Stream *stream_of(CUstream s) { return s ? reinterpret_cast<Stream *>(s) : &state().main; }

} // namespace sim

using namespace sim;

EXPORT int cuMemAlloc_v2(Address *p, size_t bytes) {
    ENTER(context);
    if (!p || bytes == 0) return invalid_value;
    if (int code = waits()) return code; // cuMemAlloc may wait for the device, and no graph takes it
    State &s = state();
    if (size_t(s.counters["live_bytes"]) + bytes > s.limit) return out_of_memory;
    *p = s.next;
    s.memory[*p] = std::make_unique<Memory>(*p, bytes);
    s.next += (bytes + 1023) / 512 * 512; // at least 512 bytes between allocations
    count("allocations"), count("live"), count("live_bytes", bytes);
    s.counters["peak_bytes"] = std::max(s.counters["peak_bytes"], s.counters["live_bytes"]);
    return ok;
}

EXPORT int cuMemFree_v2(Address p) {
    ENTER(context);
    if (int code = waits()) return code;
    drain_all(); // as the driver does
    auto found = state().memory.find(p);
    if (found == state().memory.end()) {
        complain("cuMemFree of %#llx, which is not allocated", p);
        return invalid_value;
    }
    count("frees"), count("live", -1), count("live_bytes", -static_cast<long long>(found->second->bytes));
    state().memory.erase(found);
    return state().sticky;
}

EXPORT int cuMemGetInfo_v2(size_t *free, size_t *total) {
    ENTER(context);
    *total = state().limit;
    *free = state().limit - size_t(state().counters["live_bytes"]);
    return ok;
}

EXPORT int cuMemHostAlloc(void **p, size_t bytes, unsigned) {
    ENTER(context);
    if (!p || bytes == 0) return invalid_value;
    char *host = static_cast<char *>(malloc(bytes));
    memset(host, 0xff, bytes);
    state().pinned[host] = bytes;
    count("pinned");
    *p = host;
    return ok;
}

EXPORT int cuMemFreeHost(void *p) {
    ENTER(context);
    if (state().pinned.erase(static_cast<char *>(p)) == 0) {
        complain("cuMemFreeHost of memory that is not pinned");
        return invalid_value;
    }
    free(p);
    count("pinned_frees");
    return ok;
}

EXPORT int cuMemcpyHtoD_v2(Address dst, const void *src, size_t bytes) {
    ENTER(context);
    count("host_copies"), count("synchronisations");
    return now("cuMemcpyHtoD", [=] { memcpy(target(dst, bytes, "cuMemcpyHtoD"), src, bytes); });
}

EXPORT int cuMemcpyDtoH_v2(void *dst, Address src, size_t bytes) {
    ENTER(context);
    count("host_copies"), count("synchronisations");
    return now("cuMemcpyDtoH", [=] { memcpy(dst, source(src, bytes, "cuMemcpyDtoH"), bytes); });
}

EXPORT int cuMemcpyDtoD_v2(Address dst, Address src, size_t bytes) {
    ENTER(context);
    count("device_copies");
    return put(&state().main, "cuMemcpyDtoD", [=] { copy_within(dst, src, bytes, "cuMemcpyDtoD"); });
}

EXPORT int cuMemcpyHtoDAsync_v2(Address dst, const void *src, size_t bytes, CUstream s) {
    ENTER(context);
    return copy_in(dst, src, bytes, stream_of(s));
}

EXPORT int cuMemcpyDtoHAsync_v2(void *dst, Address src, size_t bytes, CUstream s) {
    ENTER(context);
    return copy_out(dst, src, bytes, stream_of(s));
}

EXPORT int cuMemcpyDtoDAsync_v2(Address dst, Address src, size_t bytes, CUstream s) {
    ENTER(context);
    count("device_copies");
    return put(stream_of(s), "cuMemcpyDtoDAsync", [=] { copy_within(dst, src, bytes, "cuMemcpyDtoDAsync"); });
}

EXPORT int cuMemsetD8_v2(Address dst, unsigned char v, size_t n) {
    ENTER(context);
    count("memsets");
    return put(&state().main, "cuMemsetD8", [=] { set(dst, v, n, "cuMemsetD8"); });
}

EXPORT int cuMemsetD32_v2(Address dst, unsigned v, size_t n) {
    ENTER(context);
    count("memsets");
    return put(&state().main, "cuMemsetD32", [=] { set(dst, v, n, "cuMemsetD32"); });
}

EXPORT int cuMemsetD8Async(Address dst, unsigned char v, size_t n, CUstream s) {
    ENTER(context);
    count("memsets");
    return put(stream_of(s), "cuMemsetD8Async", [=] { set(dst, v, n, "cuMemsetD8Async"); });
}

EXPORT int cuMemsetD32Async(Address dst, unsigned v, size_t n, CUstream s) {
    ENTER(context);
    count("memsets");
    return put(stream_of(s), "cuMemsetD32Async", [=] { set(dst, v, n, "cuMemsetD32Async"); });
}

// checked runs an access of the cuDNN stand-in; a fault sticks and gives no address.
template <class Access> static auto checked(Access access) -> decltype(access()) {
    std::lock_guard<std::recursive_mutex> guard(state().lock);
    try {
        return access();
    } catch (const Fault &f) {
        simFault("%s", f.what());
        return nullptr;
    }
}

static Address address_of(const void *p) { return reinterpret_cast<Address>(p); }

EXPORT const void *simRead(const void *p, size_t bytes) {
    return checked([&]() -> const void * { return source(address_of(p), bytes, "a read"); });
}

EXPORT void *simWrite(void *p, size_t bytes) {
    return checked([&]() -> void * { return target(address_of(p), bytes, "a write"); });
}

EXPORT void *simUpdate(void *p, size_t bytes) {
    return checked([&]() -> void * { return const_cast<char *>(source(address_of(p), bytes, "an update")); });
}

EXPORT void *simScratch(void *p, size_t bytes) {
    return checked([&]() -> void * {
        Memory *m = reach(address_of(p), bytes, "a workspace");
        m->spoil(address_of(p) - m->address, bytes);
        return m->host + (address_of(p) - m->address);
    });
}

EXPORT int simInside(const void *p, size_t bytes) {
    std::lock_guard<std::recursive_mutex> guard(state().lock);
    Memory *m = find(address_of(p));
    return m && bytes <= m->bytes - (address_of(p) - m->address);
}
