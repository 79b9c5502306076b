// What the files of the stand-in for libcudnn share. It computes in float64 from the
// definition, on tensors of any strides, and is strict: descriptors must be complete and fit
// each other, engines keep to what the real library offers (reference: the patterns that
// cuDNN 9.19 plans for sm_80 to sm_120), memory is checked when the work takes effect.
#ifndef JEM_CUDNN_SIM_H
#define JEM_CUDNN_SIM_H

#include <cudnn.h>

#include <cstdint>
#include <string>
#include <vector>

#include "sim.h"

struct cudnnContext {
	CUstream stream = nullptr;
};

// Shape is a tensor of four dimensions N,C,H,W with strides in elements.
struct Shape {
	cudnnDataType_t type = CUDNN_DATA_FLOAT;
	int64_t dim[4] = {0, 0, 0, 0}, stride[4] = {0, 0, 0, 0};

	int64_t count() const { return dim[0] * dim[1] * dim[2] * dim[3]; }
	size_t element() const { return type == CUDNN_DATA_BFLOAT16 ? 2 : 4; }
	bool packed() const;       // no gaps, in whatever order
	bool channels_last() const; // N,H,W,C without gaps; dimensions of one element don't matter
	bool same_size(const Shape &o) const;
};

// Values are a tensor's elements in the order N,H,W,C, whatever its strides.
using Values = std::vector<double>;

// load reads a tensor from the device; tf32 rounds each element to 10 bits of mantissa. False
// after a fault.
bool load(const Shape &s, const void *device, bool tf32, Values &out);

// store writes a tensor, rounded to its type. False after a fault.
bool store(const Shape &s, void *device, const Values &v);

// Layer is a convolution x * w -> y (cross-correlation), w as K,R,S,C in Values' order.
struct Layer {
	int64_t n, c, h, w, k, r, s, p, q, stride, pad, pad_w;

	// fits reports whether sizes, stride and paddings belong together.
	bool fits() const { return p == (h + 2 * pad - r) / stride + 1 && q == (w + 2 * pad_w - s) / stride + 1; }
};

enum Pass { FORWARD, INPUT_GRAD, PARAM_GRAD };

// convolve returns y, dx or dw from the other two: (x,w), (dy,w) or (x,dy).
Values convolve(const Layer &l, Pass pass, const Values &a, const Values &b);

// refuse remembers why a call fails, for cudnnGetLastErrorString, and returns the status.
cudnnStatus_t refuse(cudnnStatus_t status, const char *format, ...) __attribute__((format(printf, 2, 3)));

// enter opens every entry point that can fail: it counts the call and reports an injected or
// sticking failure as a status.
cudnnStatus_t enter(const char *name);

#define ENTER() \
	do { \
		if (cudnnStatus_t entered = enter(__func__); entered != CUDNN_STATUS_SUCCESS) return entered; \
	} while (0)

// The two statuses that most refusals have.
constexpr cudnnStatus_t BAD = CUDNN_STATUS_BAD_PARAM, NOT_SUPPORTED = CUDNN_STATUS_NOT_SUPPORTED;

// enqueue puts work on the handle's stream.
cudnnStatus_t enqueue(cudnnHandle_t handle, const char *name, void (*run)(void *), void (*drop)(void *), void *arg);

#endif
