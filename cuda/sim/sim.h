// What the stand-in for libcuda.so.1 offers to the stand-in for libcudnn and to tests, besides
// the driver API: a stream to queue work on, checked access to device memory, counted and
// injected failures. All functions are exported by libcuda.so.1 with C linkage.
//
// Device addresses are not host addresses: reading one directly faults. Work on a stream takes
// effect late, when a synchronisation asks for it, on the thread that asks.
#ifndef JEM_CUDA_SIM_H
#define JEM_CUDA_SIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CUstream_st *CUstream; // as in cuda.h; also cudaStream_t

// simCall opens every entry point: it counts the call, refuses it (with a line on stderr) where
// the calling thread has no current context, and reports an injected failure. name is the
// entry point's. Returns 0 or the code to fail with: a CUresult for cu…, and for other names
// whatever was injected (201 where there is no context, 700 … 719 after a device fault).
int simCall(const char *name);

// simWork is queued work. run is called each time the work takes effect: once, or as often as
// a graph that captured it is launched. drop (may be NULL) is called once, when no graph and no
// queue needs it any more.
typedef void (*simWork)(void *arg);

// simEnqueue queues work on a stream (NULL: the default stream), or adds it to the graph that
// the stream is capturing. Returns a CUresult. name appears in fault messages.
int simEnqueue(CUstream stream, simWork run, simWork drop, void *arg, const char *name);

// simEnqueueWhen is simEnqueue for work that waits for others: it and all behind it in the stream take effect when
// ready says so. ready is asked again and again, with the stand-in's lock held, and waits for nothing.
typedef int (*simReady)(void *arg);
int simEnqueueWhen(CUstream stream, simReady ready, simWork run, simWork drop, void *arg, const char *name);

// simPrimary reports whether the calling thread's current context is the card's primary one.
int simPrimary(void);

// simRead and simWrite return the host address of device memory, or NULL after a fault: memory
// that is not allocated, out of range or, for simRead, not written yet. simWrite marks the
// range as written. Call them inside the work, not when it is queued. simUpdate is for memory
// that is read and written.
const void *simRead(const void *device, size_t bytes);
void *simWrite(void *device, size_t bytes);
void *simUpdate(void *device, size_t bytes);

// simScratch is simWrite for workspace: its content is spoilt (0xFF, unwritten) first, so that
// nothing relies on what another operation left there.
void *simScratch(void *device, size_t bytes);

// simInside reports whether a whole range is allocated device memory, without a fault. For checks at
// enqueue time.
int simInside(const void *device, size_t bytes);

// simCapturing reports whether a stream is being captured into a graph.
int simCapturing(CUstream stream);

// simFault reports an error of the device (line on stderr), which sticks to the context as
// CUDA_ERROR_LAUNCH_FAILED until the process ends. printf-like.
void simFault(const char *format, ...);

// simCounter returns how often something happened since the process began or simReset: an
// entry point's name (a call of it), kernel:NAME (executions of a kernel), or one of
//   launches         kernels and other work that the caller put on a stream
//   captured         the same, put into a graph
//   graph_launches   graphs put on a stream
//   host_copies      copies between host and device; device_copies: within the device; memsets
//   allocations      of device memory, frees; pinned: of host memory
//   synchronisations waits of the host for the device
//   live, live_bytes, peak_bytes: device memory now and at most
//   faults           errors of the device
//   leaked           what was not given back when the last context was destroyed
// 0 for what has never happened.
long long simCounter(const char *name);
void simReset(void);

// simFail lets the n-th call from now on (1 = the next) of a function fail with an error; the
// function "*" is any entry point. n = 0 takes the order back. The environment does the same:
// JEM_SIM_FAIL="cuMemAlloc_v2:3=2,*:120=719".
void simFail(const char *function, long long n, int error);

#ifdef __cplusplus
}
#endif
#endif
