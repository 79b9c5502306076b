// Runs the threads of a launch: each on a stack of its own, switched at barriers and shuffles.
#include "simt.h"

#include <algorithm>
#include <cstdlib>
#include <sys/mman.h>

#include "core.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define SANITIZED 1
#endif

// sim_switch saves the registers that a call must keep, and the stack; and takes up another.
extern "C" void sim_switch(void **save, void *load);
asm(R"(
    .text
    .type sim_switch, @function
sim_switch:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret
    .size sim_switch, .-sim_switch
)");

namespace sim {

Lane *self;
Launch launch;

namespace {

constexpr size_t stack_bytes = 256 << 10;

enum Status { ready, at_barrier, at_shuffle, over };

struct Thread : Lane {
    Status status;
    int line;          // of the barrier it is at
    bool vote, votes;  // given there, and the result
    unsigned mask, from; // of the shuffle
    uint64_t value;
    char *stack;
    void *sp;
    void *fake; // the sanitizer's
};

// Block is the one that is running.
struct Block {
    std::vector<Thread> threads;
    unsigned size = 0, left = 0;
    const std::function<void()> *body;
    void *sp;
    void *fake;
    const void *bottom;
    size_t bytes;
    const Fault *fault = nullptr;
    std::unique_ptr<Fault> kept;
};
Block block;

Thread *me() { return static_cast<Thread *>(self); }

void leave(Thread *t, bool for_good) {
#ifdef SANITIZED
    __sanitizer_start_switch_fiber(for_good ? nullptr : &t->fake, block.bottom, block.bytes);
#endif
    (void)for_good;
    sim_switch(&t->sp, block.sp);
#ifdef SANITIZED
    __sanitizer_finish_switch_fiber(t->fake, &block.bottom, &block.bytes);
#endif
}

void enter(Thread *t) {
    self = t;
#ifdef SANITIZED
    __sanitizer_start_switch_fiber(&block.fake, t->stack, stack_bytes);
#endif
    sim_switch(&block.sp, t->sp);
#ifdef SANITIZED
    __sanitizer_finish_switch_fiber(block.fake, nullptr, nullptr);
#endif
}

// run_thread is the bottom of each thread's stack.
void run_thread() {
#ifdef SANITIZED
    __sanitizer_finish_switch_fiber(nullptr, &block.bottom, &block.bytes);
#endif
    try {
        (*block.body)();
    } catch (const Fault &f) {
        block.kept = std::make_unique<Fault>(f);
    }
    me()->status = over;
    leave(me(), true);
    abort();
}

// clean tells the sanitizer that the upper bytes of a stack are free: frames that were never left
// had put marks there.
void clean(const Thread &t, size_t bytes) {
#ifdef SANITIZED
    __asan_unpoison_memory_region(t.stack + stack_bytes - bytes, bytes);
#endif
    (void)t, (void)bytes;
}

// prepare lays a stack out as if sim_switch had been called from the start of run_thread.
void prepare(Thread *t) {
    clean(*t, 1024); // where run_thread's own frame was
    auto **top = reinterpret_cast<void **>(t->stack + stack_bytes);
    *--top = nullptr; // run_thread returns to nowhere, and its stack is aligned as after a call
    *--top = reinterpret_cast<void *>(&run_thread);
    for (int i = 0; i < 6; i++) *--top = nullptr;
    t->sp = top;
    t->fake = nullptr;
}

void make_threads(unsigned n) {
    while (block.threads.size() < n) {
        Thread t{};
        void *p = mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED) abort();
        t.stack = static_cast<char *>(p);
        block.threads.push_back(t);
    }
}

// stuck is the fault of a block in which no thread can go on.
[[noreturn]] void stuck() {
    unsigned barriers = 0, shuffles = 0, gone = 0;
    for (unsigned i = 0; i < block.size; i++) clean(block.threads[i], stack_bytes);
    for (unsigned i = 0; i < block.size; i++) {
        const Thread &t = block.threads[i];
        barriers += t.status == at_barrier, shuffles += t.status == at_shuffle, gone += t.status == over;
    }
    fault(launch_failed, "threads wait for others that do not come: %u at a barrier, %u at a shuffle, %u have returned", barriers,
          shuffles, gone);
}

// open_barrier lets all go on if all are there, at the same one.
bool open_barrier() {
    bool any = false;
    for (unsigned i = 0; i < block.size; i++) {
        const Thread &t = block.threads[i];
        if (t.status != at_barrier) return false;
        int line = block.threads[0].line;
        if (t.line != line) fault(launch_failed, "threads are at different barriers, in lines %d and %d", line, t.line);
        any |= t.vote;
    }
    launch.epoch++;
    for (unsigned i = 0; i < block.size; i++) block.threads[i].status = ready, block.threads[i].votes = any;
    return true;
}

// order gives the i-th thread to run. JEM_SIM_ORDER=reverse takes them the other way round, odd
// takes every other one first: results must not change.
unsigned order(unsigned i) {
    static const char kind = [] {
        const char *o = getenv("JEM_SIM_ORDER");
        return o ? *o : 'f';
    }();
    if (kind == 'r') return block.size - 1 - i;
    unsigned odds = block.size / 2;
    if (kind == 'o') return i < odds ? 2 * i + 1 : 2 * (i - odds);
    return i;
}

void run_block() {
    for (unsigned i = 0; i < block.size; i++) {
        Thread &t = block.threads[i];
        t.number = i, t.status = ready;
        t.index = {i % launch.block.x, i / launch.block.x % launch.block.y, i / (launch.block.x * launch.block.y)};
        prepare(&t);
    }
    launch.first = ++launch.epoch;
    block.left = block.size;
    while (block.left > 0) {
        bool moved = false;
        for (unsigned i = 0; i < block.size; i++) {
            Thread &t = block.threads[order(i)];
            if (t.status != ready) continue;
            enter(&t);
            moved = true;
            block.left -= t.status == over;
            if (block.kept) {
                for (unsigned j = 0; j < block.size; j++) clean(block.threads[j], stack_bytes);
                Fault f = *block.kept;
                block.kept.reset();
                throw f;
            }
        }
        if (!moved && !open_barrier()) stuck();
    }
}

// claim_tags gives the launch tags that no memory holds: threads_of_block for each block.
constexpr uint32_t threads_of_block = 1024;
void claim_tags(unsigned long long blocks) {
    if (blocks >= 0xffffffffu / threads_of_block - 1) fault(not_supported, "%llu blocks are too many for the stand-in", blocks);
    if (launch.tag > 0xffffffffu - (blocks + 1) * threads_of_block) {
        for (auto &[_, m] : state().memory) std::fill(m->writer.begin(), m->writer.end(), 0);
        launch.tag = 0;
    }
    launch.first_tag = launch.tag + threads_of_block;
}

} // namespace

void stop(int code, const char *what, const char *detail, long long place, long long size) {
    const Index &b = launch.block_index, &t = self->index;
    fault(code, "block (%u,%u,%u), thread (%u,%u,%u): %s at %lld of %lld: %s", b.x, b.y, b.z, t.x, t.y, t.z, what, place, size,
          detail);
}

bool barrier(int line, bool vote) {
    Thread *t = me();
    t->status = at_barrier, t->line = line, t->vote = vote;
    leave(t, false);
    return t->votes;
}

uint64_t shuffle(unsigned mask, unsigned from, uint64_t value) {
    Thread *t = me();
    unsigned lane = t->number % 32, first = t->number - lane;
    if (!(mask >> lane & 1)) stop(launch_failed, "shuffle", "by a lane that is not in the mask", lane, mask);
    t->status = at_shuffle, t->mask = mask, t->from = from, t->value = value;
    for (unsigned i = 0; i < 32; i++) {
        if (!(mask >> i & 1)) continue;
        if (first + i >= block.size) stop(launch_failed, "shuffle", "with lanes that the block does not have", i, mask);
        const Thread &other = block.threads[first + i];
        if (other.status != at_shuffle || other.mask != mask) {
            leave(t, false);
            return t->value;
        }
    }
    uint64_t given[32];
    for (unsigned i = 0; i < 32; i++) given[i] = first + i < block.size ? block.threads[first + i].value : 0;
    for (unsigned i = 0; i < 32; i++) {
        if (!(mask >> i & 1)) continue;
        Thread &other = block.threads[first + i];
        if (!(mask >> other.from & 1)) stop(launch_failed, "shuffle", "from a lane that takes no part", other.from, mask);
        other.value = given[other.from];
        other.status = ready;
    }
    return t->value;
}

Span span_of(unsigned long long address) {
    Span s;
    s.address = address;
    if (Memory *m = find(address)) {
        long long offset = static_cast<long long>(address - m->address);
        s.base = m->host + offset, s.before = offset, s.after = static_cast<long long>(m->bytes) - offset;
        s.written = m->written.data() + offset / 2, s.writer = m->writer.data() + offset / 2;
    }
    return s;
}

void check_write(const Span &s, long long offset, unsigned bytes) {
    check(s, offset, bytes, "write");
    for (long long i = offset / 2; i < (offset + bytes) / 2; i++) {
        if (by_another(s.writer[i])) stop(launch_failed, "write", "where another thread of this launch wrote", offset, s.after);
        s.written[i] = 1;
        s.writer[i] = launch.tag + self->number;
    }
}

void execute(const Kernel &kernel, Dim grid, Dim dim, const std::vector<uint64_t> &words) {
    count("kernel:" + std::string(kernel.name));
    std::function<void()> body = kernel.bind(words);
    block.body = &body;
    block.size = dim.x * dim.y * dim.z;
    make_threads(block.size);
    launch.grid = {grid.x, grid.y, grid.z}, launch.block = {dim.x, dim.y, dim.z};
    claim_tags(1ull * grid.x * grid.y * grid.z);
    for (unsigned z = 0; z < grid.z; z++)
        for (unsigned y = 0; y < grid.y; y++)
            for (unsigned x = 0; x < grid.x; x++) {
                launch.block_index = {x, y, z};
                launch.tag += threads_of_block;
                run_block();
            }
}

} // namespace sim

void set_bit0(const Out<int32_t> &p) {
    sim::check(p.span, 0, 4, "atomic");
    if (!p.span.written[0] || !p.span.written[1]) sim::stop(700, "atomic", "never written", 0, p.span.after);
    *reinterpret_cast<int32_t *>(p.span.base) |= 1;
}
