// The stand-in driver's own state: memory, streams of queued work, faults, counters. One lock
// for all.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sim.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace sim {

// The codes that the driver API returns here (CUresult).
enum Code {
    ok = 0,
    invalid_value = 1,
    out_of_memory = 2,
    not_initialized = 3,
    no_device = 100,
    invalid_device = 101,
    invalid_image = 200,
    invalid_context = 201,
    invalid_handle = 400,
    not_found = 500,
    not_ready = 600,
    illegal_address = 700,
    launch_failed = 719,
    not_supported = 801,
    capture_unsupported = 900,
    capture_invalidated = 901,
    capture_unmatched = 903,
};

using Address = unsigned long long; // of the device; CUdeviceptr

// Memory is one allocation. Addresses are never used twice, so none outlives its memory unseen.
struct Memory {
    Address address;
    size_t bytes;
    char *host;
    std::vector<uint8_t> written;  // a byte for two of memory
    std::vector<uint32_t> writer;  // the same: tag of the thread that wrote last, see launch.cpp
    Memory(Address address, size_t bytes);
    ~Memory();
    void spoil(size_t offset, size_t n);
    void mark(size_t offset, size_t n);
    bool read_before_write(size_t offset, size_t n) const;
};

// Work takes effect when it is run: once from a queue, or as often as its graph is launched.
struct Work {
    std::string name;
    std::function<void()> run;
    std::function<void()> drop; // when nothing needs it any more
    std::function<bool()> ready; // whether it can be run; null: always
    Work(const char *name, std::function<void()> run, std::function<void()> drop)
        : name(name), run(std::move(run)), drop(std::move(drop)) {}
    Work(const Work &) = delete;
    ~Work() {
        if (drop) drop();
    }
};
using WorkList = std::vector<std::shared_ptr<Work>>;

struct Stream {
    explicit Stream(bool blocking) : blocking(blocking) {}
    bool blocking; // waits for the default stream, and that for it
    std::deque<std::shared_ptr<Work>> queue;
    long long queued = 0, done = 0;   // work put on it and run
    bool capturing = false, broken = false;
    std::thread::id capturer; // the thread whose waiting spoils a capture
    std::shared_ptr<WorkList> graph;  // being captured
};

struct Event {
    Stream *stream = nullptr; // of the last record; null before
    long long place = 0;      // of that record in the stream
    double seconds = 0;       // when it was passed
};

// Fault is thrown in work that goes wrong.
struct Fault : std::runtime_error {
    int code;
    Fault(int code, const std::string &what) : std::runtime_error(what), code(code) {}
};
[[noreturn]] void fault(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct State {
    std::recursive_mutex lock;
    bool initialised = false;
    int sticky = 0; // an error of the device: every later call returns it
    std::map<Address, std::unique_ptr<Memory>> memory;
    std::map<char *, size_t> pinned; // host memory that copies may use late
    std::map<Stream *, std::unique_ptr<Stream>> streams;
    Stream main{true}; // the default stream
    std::map<std::string, long long> counters;
    std::map<std::string, std::pair<long long, int>> failures; // function: calls to go, error
    Address next = 0x0a00000000000000ull; // no host address
    size_t limit = 0;                     // bytes of the card
};
State &state();

// Entry opens an entry point: lock, count, refuse.
enum Need { nothing, driver, context };
struct Entry {
    std::lock_guard<std::recursive_mutex> guard;
    int code;
    explicit Entry(const char *name, Need need = context);
};
#define ENTER(need)              \
    sim::Entry entry(__func__, need); \
    if (entry.code != 0) return entry.code

void count(const std::string &name, long long n = 1);
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

// has_context reports whether the calling thread has a current context.
bool has_context();

// find returns the allocation that holds an address, or null.
Memory *find(Address address);
// reach is find for a whole range, at the time of the call; a fault where there is none.
Memory *reach(Address address, size_t bytes, const char *what);

// put queues work on a stream, or adds it to the graph that it captures.
int put(Stream *stream, const char *name, std::function<void()> run, std::function<void()> drop = nullptr, std::function<bool()> ready = nullptr);
// drain runs the stream's work up to a place in it. Work that isn't ready is waited for, or, for who only asks, left
// with all behind it. drain_all runs everything.
void drain(Stream *stream, long long place, bool wait = true);
void drain_all();
// forget_handles drops all events and graphs and returns how many there were.
size_t forget_handles();
// waits opens a call that makes the host wait: refused while a stream is being captured, which that
// spoils.
int waits();

// Kernel is an exported kernel, compiled for the host.
struct Kernel {
    const char *name;
    std::string types; // of its arguments, as "out f32, in f32, i64, f32"
    std::function<std::function<void()>(const std::vector<uint64_t> &)> bind; // arguments to a call for one thread
};
const std::vector<Kernel> &registry();

struct Dim {
    unsigned x, y, z;
};
// execute runs all threads of a launch.
void execute(const Kernel &kernel, Dim grid, Dim block, const std::vector<uint64_t> &words);

} // namespace sim
