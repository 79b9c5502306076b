// Streams, events and captured graphs. Work is queued and takes effect when the host waits for it.
#include "core.h"

#include <algorithm>
#include <chrono>

namespace sim {

// Graph is a captured list of work; Exec one that can be launched.
struct Graph {
    std::shared_ptr<WorkList> work;
};

static std::map<void *, std::unique_ptr<Graph>> &graphs() {
    static auto *g = new std::map<void *, std::unique_ptr<Graph>>;
    return *g;
}

static std::map<void *, std::unique_ptr<Graph>> &executables() {
    static auto *g = new std::map<void *, std::unique_ptr<Graph>>;
    return *g;
}

static std::map<void *, std::unique_ptr<Event>> &events() {
    static auto *e = new std::map<void *, std::unique_ptr<Event>>;
    return *e;
}

// stream_of finds a handle's stream, or null.
static Stream *stream_of(CUstream s) {
    if (!s) return &state().main;
    auto found = state().streams.find(reinterpret_cast<Stream *>(s));
    if (found != state().streams.end()) return found->second.get();
    complain("a stream that does not exist, or was destroyed");
    return nullptr;
}

int put(Stream *stream, const char *name, std::function<void()> run, std::function<void()> drop, std::function<bool()> ready) {
    auto work = std::make_shared<Work>(name, std::move(run), std::move(drop));
    work->ready = std::move(ready);
    if (stream->capturing) {
        stream->graph->push_back(work);
        return ok;
    }
    stream->queue.push_back(work);
    stream->queued++;
    return ok;
}

// run_one does a piece of work. After a fault nothing takes effect any more.
static void run_one(const Work &work) {
    if (state().sticky) return;
    try {
        work.run();
    } catch (const Fault &f) {
        complain("%s: %s", work.name.c_str(), f.what());
        count("faults");
        state().sticky = f.code;
    }
}

void drain(Stream *stream, long long place, bool wait) {
    while (stream->done < place && !stream->queue.empty()) {
        auto work = stream->queue.front();
        if (work->ready && !state().sticky && !work->ready()) {
            if (!wait) return;
            std::this_thread::sleep_for(std::chrono::microseconds(200));
            continue;
        }
        stream->queue.pop_front();
        stream->done++;
        run_one(*work);
    }
}

void drain_all() {
    drain(&state().main, state().main.queued);
    for (auto &[stream, _] : state().streams) drain(stream, stream->queued);
}

int waits() {
    for (auto &[stream, _] : state().streams)
        if (stream->capturing && stream->capturer == std::this_thread::get_id()) {
            complain("the host waits or allocates while a stream is being captured");
            stream->broken = true;
            return capture_unsupported;
        }
    return ok;
}

size_t forget_handles() {
    size_t n = events().size() + graphs().size() + executables().size();
    events().clear(), graphs().clear(), executables().clear();
    return n;
}

static double clock_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

static bool passed(const Event &e) { return !e.stream || e.stream->done >= e.place; }

} // namespace sim

using namespace sim;

EXPORT int simEnqueue(CUstream s, simWork run, simWork drop, void *arg, const char *name) {
    std::lock_guard<std::recursive_mutex> guard(state().lock);
    Stream *stream = stream_of(s);
    if (!stream) return invalid_handle;
    count(stream->capturing ? "captured" : "launches");
    return put(stream, name, [=] { run(arg); }, drop ? std::function<void()>([=] { drop(arg); }) : nullptr);
}

EXPORT int simEnqueueWhen(CUstream s, simReady ready, simWork run, simWork drop, void *arg, const char *name) {
    std::lock_guard<std::recursive_mutex> guard(state().lock);
    Stream *stream = stream_of(s);
    if (!stream) return invalid_handle;
    if (stream->capturing) {
        complain("%s on a stream that is being captured", name);
        return not_supported;
    }
    count("launches");
    return put(stream, name, [=] { run(arg); }, [=] { drop(arg); }, [=] { return ready(arg) != 0; });
}

EXPORT int simCapturing(CUstream s) {
    std::lock_guard<std::recursive_mutex> guard(state().lock);
    Stream *stream = stream_of(s);
    return stream && stream->capturing;
}

EXPORT int cuStreamCreate(CUstream *s, unsigned flags) {
    ENTER(context);
    auto stream = std::make_unique<Stream>((flags & 1) == 0); // CU_STREAM_NON_BLOCKING = 1
    *s = reinterpret_cast<CUstream>(stream.get());
    state().streams[stream.get()] = std::move(stream);
    return ok;
}

EXPORT int cuStreamDestroy_v2(CUstream s) {
    ENTER(context);
    Stream *stream = s ? stream_of(s) : nullptr;
    if (!stream) return invalid_handle;
    drain(stream, stream->queued);
    for (auto &[_, e] : events())
        if (e->stream == stream) e->stream = nullptr;
    state().streams.erase(stream);
    return state().sticky;
}

EXPORT int cuStreamSynchronize(CUstream s) {
    ENTER(context);
    Stream *stream = stream_of(s);
    if (!stream) return invalid_handle;
    if (int code = waits()) return code;
    count("synchronisations");
    if (!s)
        for (auto &[other, _] : state().streams)
            if (other->blocking) drain(other, other->queued);
    drain(stream, stream->queued);
    return state().sticky;
}

// The first question finds work unfinished, and lets it happen.
EXPORT int cuStreamQuery(CUstream s) {
    ENTER(context);
    Stream *stream = stream_of(s);
    if (!stream) return invalid_handle;
    if (stream->queue.empty()) return ok;
    drain(stream, stream->queued, false);
    return state().sticky ? state().sticky : int(not_ready);
}

EXPORT int cuCtxSynchronize(void) {
    ENTER(context);
    if (int code = waits()) return code;
    count("synchronisations");
    drain_all();
    return state().sticky;
}

EXPORT int cuEventCreate(void **e, unsigned) {
    ENTER(context);
    auto event = std::make_unique<Event>();
    *e = event.get();
    events()[*e] = std::move(event);
    return ok;
}

EXPORT int cuEventDestroy_v2(void *e) {
    ENTER(context);
    auto found = events().find(e);
    if (found == events().end()) return invalid_handle;
    if (!passed(*found->second)) drain(found->second->stream, found->second->place);
    events().erase(found);
    return ok;
}

EXPORT int cuEventRecord(void *e, CUstream s) {
    ENTER(context);
    Stream *stream = stream_of(s);
    if (!stream || !events().count(e)) return invalid_handle;
    if (stream->capturing) {
        complain("cuEventRecord on a stream that is being captured: the stand-in captures one stream");
        return not_supported;
    }
    Event *event = events()[e].get();
    event->stream = stream;
    event->place = stream->queued + 1;
    return put(stream, "cuEventRecord", [event] { event->seconds = clock_seconds(); });
}

EXPORT int cuEventSynchronize(void *e) {
    ENTER(context);
    if (!events().count(e)) return invalid_handle;
    if (int code = waits()) return code;
    count("synchronisations");
    Event *event = events()[e].get();
    if (!passed(*event)) drain(event->stream, event->place);
    return state().sticky;
}

EXPORT int cuEventQuery(void *e) {
    ENTER(context);
    if (!events().count(e)) return invalid_handle;
    Event *event = events()[e].get();
    if (passed(*event)) return ok;
    drain(event->stream, event->place, false);
    return state().sticky ? state().sticky : int(not_ready);
}

EXPORT int cuEventElapsedTime(float *milliseconds, void *from, void *to) {
    ENTER(context);
    if (!events().count(from) || !events().count(to)) return invalid_handle;
    Event *a = events()[from].get(), *b = events()[to].get();
    if (!a->stream || !b->stream) return invalid_handle;
    if (!passed(*a) || !passed(*b)) return not_ready;
    *milliseconds = float(1000 * (b->seconds - a->seconds));
    return ok;
}

EXPORT int cuStreamWaitEvent(CUstream s, void *e, unsigned) {
    ENTER(context);
    Stream *stream = stream_of(s);
    if (!stream || !events().count(e)) return invalid_handle;
    if (stream->capturing) {
        complain("cuStreamWaitEvent on a stream that is being captured: the stand-in captures one stream");
        return not_supported;
    }
    Event event = *events()[e]; // as recorded now
    return put(stream, "cuStreamWaitEvent", [event] {
        if (event.stream) drain(event.stream, event.place);
    });
}

// Only the mode CU_STREAM_CAPTURE_MODE_THREAD_LOCAL is known: what other threads do is their own.
EXPORT int cuStreamBeginCapture_v2(CUstream s, int mode) {
    ENTER(context);
    if (mode != 1) return not_supported;
    Stream *stream = s ? stream_of(s) : nullptr;
    if (!stream || stream->capturing) {
        complain("cuStreamBeginCapture of the default stream, or of one that is being captured");
        return s ? int(invalid_value) : int(capture_unsupported);
    }
    stream->capturing = true, stream->broken = false;
    stream->capturer = std::this_thread::get_id();
    stream->graph = std::make_shared<WorkList>();
    return ok;
}

EXPORT int cuStreamEndCapture(CUstream s, void **graph) {
    ENTER(context);
    Stream *stream = s ? stream_of(s) : nullptr;
    if (!stream || !stream->capturing) return stream ? capture_unmatched : invalid_handle;
    stream->capturing = false;
    auto work = std::move(stream->graph);
    *graph = nullptr;
    if (stream->broken) return capture_invalidated;
    auto g = std::make_unique<Graph>(Graph{work});
    *graph = g.get();
    graphs()[*graph] = std::move(g);
    return ok;
}

EXPORT int cuStreamIsCapturing(CUstream s, int *status) {
    ENTER(context);
    Stream *stream = stream_of(s);
    if (!stream) return invalid_handle;
    *status = !stream->capturing ? 0 : stream->broken ? 2 : 1;
    return ok;
}

EXPORT int cuGraphGetNodes(void *graph, void **nodes, size_t *n) {
    ENTER(context);
    if (!graphs().count(graph)) return invalid_handle;
    if (nodes) {
        complain("cuGraphGetNodes: the stand-in counts nodes and shows none");
        return not_supported;
    }
    *n = graphs()[graph]->work->size();
    return ok;
}

EXPORT int cuGraphInstantiateWithFlags(void **exec, void *graph, unsigned long long) {
    ENTER(context);
    if (!graphs().count(graph)) return invalid_handle;
    auto e = std::make_unique<Graph>(*graphs()[graph]);
    *exec = e.get();
    executables()[*exec] = std::move(e);
    return ok;
}

EXPORT int cuGraphLaunch(void *exec, CUstream s) {
    ENTER(context);
    Stream *stream = stream_of(s);
    if (!stream || !executables().count(exec)) return invalid_handle;
    count("graph_launches");
    auto list = executables()[exec]->work; // kept until it ran, though the graph be destroyed
    return put(stream, "cuGraphLaunch", [list] {
        for (auto &work : *list) run_one(*work);
    });
}

EXPORT int cuGraphDestroy(void *graph) {
    ENTER(context);
    return graphs().erase(graph) ? ok : invalid_handle;
}

EXPORT int cuGraphExecDestroy(void *exec) {
    ENTER(context);
    return executables().erase(exec) ? ok : invalid_handle;
}
