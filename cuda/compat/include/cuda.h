/*
 * Stands before the toolkit's cuda.h, so that gorgonia.org/cu v0.9.6 (written for CUDA 11)
 * compiles unmodified against CUDA 12.2 to 13.x. CUDA 13 gave some names newer functions with
 * other arguments; the driver still exports the old ones, and the binding means those. Its
 * imports are then the same from CUDA 12 to 13, and no newer driver is asked for.
 */
#pragma GCC system_header
#ifndef JEM_COMPAT_CUDA_H
#define JEM_COMPAT_CUDA_H

#include_next <cuda.h>

#if CUDA_VERSION < 12020 || CUDA_VERSION >= 14000
#error "jem builds against CUDA 12.2 to 13.x: point CUDA_HOME at such a toolkit, or make one with make cuda-toolchain"
#endif

#if CUDA_VERSION >= 13000
#undef cuCtxCreate
#undef cuMemAdvise
#undef cuMemPrefetchAsync
#undef cuGraphAddDependencies
#undef cuGraphGetEdges
#undef cuDeviceGetUuid
#undef cuEventElapsedTime
#define cuCtxCreate cuCtxCreate_v2
CUresult CUDAAPI cuCtxCreate(CUcontext *context, unsigned int flags, CUdevice device);
CUresult CUDAAPI cuMemAdvise(CUdeviceptr p, size_t bytes, CUmem_advise advice, CUdevice device);
CUresult CUDAAPI cuMemPrefetchAsync(CUdeviceptr p, size_t bytes, CUdevice destination, CUstream stream);
CUresult CUDAAPI cuGraphAddDependencies(CUgraph graph, const CUgraphNode *from, const CUgraphNode *to, size_t n);
CUresult CUDAAPI cuGraphGetEdges(CUgraph graph, CUgraphNode *from, CUgraphNode *to, size_t *n);
CUresult CUDAAPI cuDeviceGetUuid(CUuuid *uuid, CUdevice device);
CUresult CUDAAPI cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end);
#endif

#endif
