// State, faults, counters and ordered failures.
#include "core.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace sim {

static std::string text(const char *format, va_list args) {
    char line[1000];
    vsnprintf(line, sizeof line, format, args);
    return line;
}

void complain(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "sim: %s\n", text(format, args).c_str());
    va_end(args);
}

void fault(int code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    std::string what = text(format, args);
    va_end(args);
    throw Fault(code, what);
}

// order lets the n-th call from now of a function fail.
static void order(State &s, const std::string &function, long long n, int error) {
    if (n > 0)
        s.failures[function] = {n, error};
    else
        s.failures.erase(function);
}

// orders reads JEM_SIM_FAIL: function:n=error, separated by commas.
static void orders(State &s, const char *list) {
    for (std::string rest = list; !rest.empty();) {
        size_t comma = rest.find(',');
        std::string one = rest.substr(0, comma);
        rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
        char name[100];
        long long n;
        int error;
        if (sscanf(one.c_str(), "%99[^:]:%lld=%d", name, &n, &error) != 3) {
            complain("JEM_SIM_FAIL: %s is not function:n=error", one.c_str());
            abort();
        }
        order(s, name, n, error);
    }
}

// report writes the counters to the file that JEM_SIM_REPORT names.
static void report() {
    const char *path = getenv("JEM_SIM_REPORT");
    FILE *file = path && *path ? fopen(path, "w") : nullptr;
    if (!file) return;
    std::lock_guard<std::recursive_mutex> guard(state().lock);
    for (auto &[name, n] : state().counters) fprintf(file, "%s %lld\n", name.c_str(), n);
    fclose(file);
}

State &state() {
    static State *s = [] {
        auto *fresh = new State; // never destroyed: the process may end on any thread
        const char *mib = getenv("JEM_SIM_MEMORY");
        fresh->limit = size_t(mib ? atoll(mib) : 8192) << 20;
        if (const char *list = getenv("JEM_SIM_FAIL")) orders(*fresh, list);
        atexit(report);
        return fresh;
    }();
    return *s;
}

void count(const std::string &name, long long n) { state().counters[name] += n; }

// sticks reports whether the driver would answer every later call with this error as well.
static bool sticks(int code) {
    switch (code) {
    case 701: case 704: case 705: case 708: case 709: return false; // a wrong call, not a broken device
    }
    return code == 214 || (code >= 700 && code <= 719);
}

// injected returns the error that was ordered for this call, or 0.
static int injected(const std::string &name) {
    int code = 0;
    for (const std::string &key : {name, std::string("*")}) {
        auto order = state().failures.find(key);
        if (order == state().failures.end() || --order->second.first > 0) continue;
        code = order->second.second;
        state().failures.erase(order);
        complain("%s fails with %d, as ordered", name.c_str(), code);
    }
    if (sticks(code) && has_context()) state().sticky = code; // it is the context that is broken
    return code;
}

Entry::Entry(const char *name, Need need) : guard(state().lock), code(ok) {
    count(name);
    if (need != nothing && !state().initialised) {
        complain("%s before cuInit", name);
        code = not_initialized;
    } else if (need == context && !has_context()) {
        complain("%s on a thread without a current context", name);
        code = invalid_context;
    } else if ((code = injected(name)) == 0 && need == context) {
        code = state().sticky;
    }
}

} // namespace sim

using namespace sim;

EXPORT int simCall(const char *name) { return Entry(name).code; }

EXPORT void simFault(const char *format, ...) {
    std::lock_guard<std::recursive_mutex> guard(state().lock);
    va_list args;
    va_start(args, format);
    complain("%s", text(format, args).c_str());
    va_end(args);
    count("faults");
    if (!state().sticky) state().sticky = launch_failed;
}

EXPORT long long simCounter(const char *name) {
    std::lock_guard<std::recursive_mutex> guard(state().lock);
    auto found = state().counters.find(name);
    return found == state().counters.end() ? 0 : found->second;
}

EXPORT void simReset(void) {
    std::lock_guard<std::recursive_mutex> guard(state().lock);
    auto &c = state().counters;
    long long live = c["live"], bytes = c["live_bytes"];
    c.clear();
    c["live"] = live, c["live_bytes"] = c["peak_bytes"] = bytes;
}

EXPORT void simFail(const char *function, long long n, int error) {
    std::lock_guard<std::recursive_mutex> guard(state().lock);
    order(state(), function, n, error);
}
