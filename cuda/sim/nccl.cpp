// The stand-in for libnccl.so.2 over the stand-in driver. Ranks are processes of one machine, which meet in a folder
// whose name is the id: each leaves what it brings to a collective there as a file, and takes the others'.
//
// It is stricter than the library: whoever doesn't ask for the end of a call before the next one, uses a context of
// his own, or does something else than the other ranks is told so, with a line that begins with "sim:".
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "sim.h"

#define API extern "C" __attribute__((visibility("default")))

namespace {

// Results, as the library numbers them (ncclResult_t).
enum Result { success, cuda_error, system_error, internal_error, invalid_argument, invalid_usage, remote_error, in_progress, timeout };

struct Id {
    char folder[128];
};

// Config is ncclConfig_t of version 2.14, with which all later ones begin.
struct Config {
    size_t size;
    unsigned magic, version;
    int blocking;
};

struct Comm {
    std::string folder;
    int rank, size;
    bool joined = false, finalized = false;
    volatile bool aborted = false;
    long long collectives = 0; // begun
    int unasked = 0;           // answers "in progress" that the last call has yet to give
    int trouble = success;     // an asynchronous error, which stays
    std::string path(const std::string &name) const { return folder + "/" + name; }
    std::string path(long long n, int of) const { return path(std::to_string(n) + "." + std::to_string(of)); }
};

std::string last; // what went wrong last

int wrong(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
int wrong(int code, const char *format, ...) {
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    last = text;
    fprintf(stderr, "sim: nccl: %s\n", text);
    return code;
}

// ordered is the number that JEM_SIM_NCCL gives a word, as in "hang=3,async=5:6,progress=10"; 0 without it. also is what
// follows a colon.
long long ordered(const char *word, int *also = nullptr) {
    const char *all = getenv("JEM_SIM_NCCL");
    std::string list = all ? std::string(",") + all : "";
    size_t at = list.find(std::string(",") + word + "=");
    if (at == std::string::npos) return 0;
    const char *value = list.c_str() + at + strlen(word) + 2;
    char *rest;
    long long n = strtoll(value, &rest, 10);
    if (also && *rest == ':') *also = atoi(rest + 1);
    return n;
}

// The communicators that there are; those that were given back live on in queued work.
std::map<Comm *, std::shared_ptr<Comm>> &all() {
    static auto *c = new std::map<Comm *, std::shared_ptr<Comm>>;
    return *c;
}

bool exists(const std::string &path) { return access(path.c_str(), F_OK) == 0; }

bool put(const std::string &path, const std::vector<char> &bytes) {
    std::string fresh = path + "~";
    FILE *f = fopen(fresh.c_str(), "wb");
    bool good = f && fwrite(bytes.data(), 1, bytes.size(), f) == bytes.size();
    if (f) good = fclose(f) == 0 && good;
    return good && rename(fresh.c_str(), path.c_str()) == 0;
}

bool get(const std::string &path, std::vector<char> &bytes) {
    FILE *f = fopen(path.c_str(), "rb");
    if (!f) return false;
    fseek(f, 0, SEEK_END);
    bytes.resize(size_t(ftell(f)));
    rewind(f);
    bool good = fread(bytes.data(), 1, bytes.size(), f) == bytes.size();
    fclose(f);
    return good;
}

enum Kind { all_gather, broadcast, all_reduce };

// Same is what all ranks must say of a collective.
struct Same {
    Kind kind;
    int type, root, zero; // no gaps: compared byte by byte
    size_t count;
};

struct Op {
    std::shared_ptr<Comm> comm;
    Same same;
    size_t bytes; // that a rank brings
    const void *from;
    void *to;
    long long n;
    bool sent = false;
};

// send leaves what this rank brings for the others.
bool send(Op &op) {
    std::vector<char> out(sizeof(Same));
    memcpy(out.data(), &op.same, sizeof(Same));
    if (op.bytes && (op.same.kind != broadcast || op.same.root == op.comm->rank)) {
        const void *from = simRead(op.from, op.bytes);
        if (!from) return false;
        out.insert(out.end(), static_cast<const char *>(from), static_cast<const char *>(from) + op.bytes);
    }
    return put(op.comm->path(op.n, op.comm->rank), out);
}

int ready(void *arg) {
    Op &op = *static_cast<Op *>(arg);
    Comm &c = *op.comm;
    if (c.aborted) return 1;
    int code = remote_error;
    long long from = ordered("async", &code);
    if (from && op.n >= from) c.trouble = code;
    if (c.trouble || ordered("hang") == op.n) return 0;
    if (!op.sent) {
        op.sent = true;
        if (!send(op)) c.trouble = wrong(internal_error, "collective %lld of rank %d can't be sent", op.n, c.rank);
    }
    for (int r = 0; r < c.size; r++)
        if (!exists(c.path(op.n, r))) return 0;
    return !c.trouble;
}

// add sums what ranks brought as a ring does: each of size parts begins at another rank.
void add(std::vector<std::vector<char>> &parts, size_t count, float *to) {
    size_t size = parts.size();
    for (size_t i = 0; i < count; i++) {
        size_t first = i * size / count + 1;
        float sum = reinterpret_cast<float *>(parts[first % size].data() + sizeof(Same))[i];
        for (size_t k = 1; k < size; k++) sum += reinterpret_cast<float *>(parts[(first + k) % size].data() + sizeof(Same))[i];
        to[i] = sum;
    }
}

void run(void *arg) {
    Op &op = *static_cast<Op *>(arg);
    Comm &c = *op.comm;
    if (c.aborted) return;
    std::vector<std::vector<char>> parts(size_t(c.size));
    for (int r = 0; r < c.size; r++) {
        auto &part = parts[size_t(r)];
        if (!get(c.path(op.n, r), part) || memcmp(part.data(), &op.same, sizeof(Same)) != 0) {
            c.trouble = wrong(internal_error, "collective %lld of rank %d is another than that of rank %d", op.n, c.rank, r);
            return;
        }
    }
    size_t bytes = op.bytes * (op.same.kind == all_gather ? size_t(c.size) : 1);
    char *to = bytes ? static_cast<char *>(simWrite(op.to, bytes)) : nullptr;
    if (to) switch (op.same.kind) {
        case all_gather:
            for (auto &part : parts) memcpy(to, part.data() + sizeof(Same), op.bytes), to += op.bytes;
            break;
        case broadcast: memcpy(to, parts[size_t(op.same.root)].data() + sizeof(Same), bytes); break;
        case all_reduce: add(parts, op.same.count, reinterpret_cast<float *>(to));
        }
    unlink(c.path(op.n - 1, c.rank).c_str()); // which all have taken, or they were not here
}

void drop(void *arg) { delete static_cast<Op *>(arg); }

size_t width(int type) { return type == 0 ? 1 : type == 7 ? 4 : 0; } // ncclInt8, ncclFloat32

// find opens a call on a communicator.
int find(const char *name, Comm *comm, std::shared_ptr<Comm> &c) {
    if (int code = simCall(name)) return code < 100 ? code : int(cuda_error);
    auto found = all().find(comm);
    if (found == all().end()) return wrong(invalid_argument, "%s of no communicator", name);
    c = found->second;
    if (!simPrimary()) return wrong(invalid_usage, "%s in another context than the card's primary one", name);
    return success;
}

// begun answers for a call that goes on behind the caller's back.
int begun(Comm &c) {
    long long polls = ordered("progress");
    c.unasked = polls ? int(polls) : 2;
    return in_progress;
}

int collect(const char *name, Comm *comm, Same same, const void *from, void *to, CUstream stream) {
    std::shared_ptr<Comm> c;
    if (int code = find(name, comm, c)) return code;
    if (!c->joined || c->unasked || c->finalized) return wrong(invalid_usage, "%s before the call before has ended", name);
    if (c->trouble) return c->trouble;
    if (!width(same.type)) return wrong(invalid_argument, "%s of type %d", name, same.type);
    size_t bytes = same.count * width(same.type);
    size_t got = bytes * (same.kind == all_gather ? size_t(c->size) : 1);
    if (bytes && ((same.kind != broadcast || same.root == c->rank) && !simInside(from, bytes))) return wrong(invalid_argument, "%s of what is no memory of the card", name);
    if (bytes && !simInside(to, got)) return wrong(invalid_argument, "%s to what is no memory of the card", name);
    auto *op = new Op{c, same, bytes, from, to, ++c->collectives};
    if (simEnqueueWhen(stream, ready, run, drop, op, name)) return wrong(cuda_error, "%s on no stream", name);
    return begun(*c);
}

} // namespace

API int ncclGetVersion(int *version) {
    const char *set = getenv("JEM_SIM_NCCL_VERSION");
    *version = set ? atoi(set) : 22300;
    return success;
}

API int ncclGetUniqueId(Id *id) {
    memset(id, 0, sizeof *id);
    const char *tmp = getenv("TMPDIR");
    snprintf(id->folder, sizeof id->folder, "%s/jem-sim-nccl-XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(id->folder) ? success : wrong(system_error, "%s: %s", id->folder, strerror(errno));
}

API int ncclCommInitRankConfig(Comm **comm, int size, Id id, int rank, Config *config) {
    if (int code = simCall(__func__)) return code < 100 ? code : int(cuda_error);
    if (!simPrimary()) return wrong(invalid_usage, "%s in another context than the card's primary one", __func__);
    if (config->magic != 0xcafebeef || config->size < sizeof(Config) || config->version < 21400)
        return wrong(invalid_argument, "a configuration of %zu bytes with magic %x and version %u", config->size, config->magic, config->version);
    if (config->blocking) return wrong(invalid_usage, "a communicator whose calls wait, which can't be timed out");
    if (rank < 0 || rank >= size || memchr(id.folder, 0, sizeof id.folder) == nullptr) return wrong(invalid_argument, "rank %d of %d", rank, size);
    auto c = std::make_shared<Comm>();
    c->folder = id.folder, c->rank = rank, c->size = size;
    std::string place = c->path("rank" + std::to_string(rank) + "of" + std::to_string(size));
    int file = open(place.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0600);
    if (file < 0) return wrong(invalid_usage, "%s: %s", place.c_str(), strerror(errno));
    close(file);
    all()[c.get()] = c;
    *comm = c.get();
    return begun(*c);
}

API int ncclCommGetAsyncError(Comm *comm, int *error) {
    auto found = all().find(comm);
    if (found == all().end()) return wrong(invalid_argument, "%s of no communicator", __func__);
    Comm &c = *found->second;
    if (!c.joined) {
        c.joined = true;
        for (int r = 0; r < c.size; r++) c.joined = c.joined && exists(c.path("rank" + std::to_string(r) + "of" + std::to_string(c.size)));
        if (!c.joined) {
            *error = in_progress;
            return success;
        }
    }
    if (c.unasked > 0) {
        c.unasked--;
        *error = in_progress;
        return success;
    }
    *error = c.trouble;
    return success;
}

API int ncclAllGather(const void *from, void *to, size_t count, int type, Comm *comm, CUstream stream) {
    return collect(__func__, comm, Same{all_gather, type, 0, 0, count}, from, to, stream);
}

API int ncclBroadcast(const void *from, void *to, size_t count, int type, int root, Comm *comm, CUstream stream) {
    return collect(__func__, comm, Same{broadcast, type, root, 0, count}, from, to, stream);
}

API int ncclAllReduce(const void *from, void *to, size_t count, int type, int op, Comm *comm, CUstream stream) {
    if (type != 7 || op != 0) return wrong(invalid_argument, "%s: the stand-in adds float32", __func__);
    return collect(__func__, comm, Same{all_reduce, type, 0, 0, count}, from, to, stream);
}

API int ncclCommFinalize(Comm *comm) {
    std::shared_ptr<Comm> c;
    if (int code = find(__func__, comm, c)) return code;
    c->finalized = true;
    return begun(*c);
}

API int ncclCommDestroy(Comm *comm) {
    std::shared_ptr<Comm> c;
    if (int code = find(__func__, comm, c)) return code;
    if (!c->finalized || c->unasked) return wrong(invalid_usage, "%s before %s has ended", __func__, "ncclCommFinalize");
    all().erase(comm);
    return success;
}

// ncclCommAbort takes no lock of the driver's: it is what ends the wait for others.
API int ncclCommAbort(Comm *comm) {
    auto found = all().find(comm);
    if (found == all().end()) return wrong(invalid_argument, "%s of no communicator", __func__);
    found->second->aborted = true;
    all().erase(found);
    return success;
}

API const char *ncclGetErrorString(int code) {
    static const char *const texts[] = {"no error", "a call of CUDA failed", "a call of the system failed", "internal error", "invalid argument",
                                        "invalid usage", "a remote process ended or the network failed", "in progress", "timed out"};
    return code >= 0 && code <= timeout ? texts[code] : "unknown result";
}

API const char *ncclGetLastError(Comm *) { return last.c_str(); }
