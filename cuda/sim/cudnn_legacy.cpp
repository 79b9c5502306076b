// The legacy convolution calls of the stand-in for libcudnn: descriptors, queries, and the three
// computations.
#include "cudnn_sim.h"

struct cudnnTensorStruct {
	Shape shape;
	bool set = false;
};
struct cudnnFilterStruct {
	Shape shape; // dim = K,C,R,S
	bool set = false;
};
struct cudnnConvolutionStruct {
	int pad[2] = {0, 0}, stride[2] = {1, 1};
	cudnnMathType_t math = CUDNN_DEFAULT_MATH;
	bool set = false;
};

static bool known(cudnnDataType_t t) { return t == CUDNN_DATA_FLOAT || t == CUDNN_DATA_BFLOAT16; }

static cudnnStatus_t fill(Shape &s, cudnnTensorFormat_t format, cudnnDataType_t type, int n, int c, int h, int w) {
	if (!known(type)) return refuse(NOT_SUPPORTED, "data type %d is not simulated", int(type));
	if (n < 1 || c < 1 || h < 1 || w < 1) return refuse(BAD, "dimensions %d,%d,%d,%d", n, c, h, w);
	bool last = format == CUDNN_TENSOR_NHWC;
	s = Shape{type, {n, c, h, w}, {int64_t(c) * h * w, last ? 1 : int64_t(h) * w, last ? int64_t(w) * c : w, last ? c : 1}};
	return CUDNN_STATUS_SUCCESS;
}

// An algorithm and what the query tells of it.
struct Algorithm {
	int number;
	bool ordered, tensor_cores;
	size_t workspace;
};

// The best-first answers. Of each pass the first has no fixed order or does not exist, so that a
// caller that takes it unseen is found out.
static const std::vector<Algorithm> &algorithms(Pass pass) {
	static const std::vector<Algorithm> all[] = {
	    {{CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, true, true, 4096}, {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, true, false, 4096},
	     {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, true, false, 0}},
	    {{CUDNN_CONVOLUTION_BWD_DATA_ALGO_0, false, false, 0}, {CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, true, true, 2048}, {CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, true, false, 2048}},
	    {{CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0, false, false, 0}, {CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, true, true, 8192}, {CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, true, false, 8192}},
	};
	return all[pass];
}

// layer checks that the four descriptors fit and returns the convolution.
static cudnnStatus_t layer(const Shape &x, const Shape &w, const cudnnConvolutionStruct &v, const Shape &y, Layer &l) {
	l = Layer{x.dim[0], x.dim[1], x.dim[2], x.dim[3], w.dim[0], w.dim[2], w.dim[3], y.dim[2], y.dim[3], v.stride[0], v.pad[0], v.pad[1]};
	if (v.stride[0] != v.stride[1]) return refuse(NOT_SUPPORTED, "strides that differ by side are not simulated");
	if (w.dim[1] != l.c || y.dim[0] != l.n || y.dim[1] != l.k || !l.fits())
		return refuse(BAD, "the shapes are no convolution");
	if (x.type != w.type || x.type != y.type) return refuse(NOT_SUPPORTED, "mixed data types");
	if (!x.channels_last() || !y.channels_last() || !w.channels_last()) return refuse(NOT_SUPPORTED, "only NHWC without gaps is simulated");
	return CUDNN_STATUS_SUCCESS;
}

// Work is a computation on its way to the stream.
struct Work {
	Pass pass;
	Layer layer;
	Shape a, b, out;
	const void *pa, *pb;
	void *to, *workspace;
	size_t workspace_bytes;
	bool tf32;
};

static void run(void *arg) {
	Work &w = *static_cast<Work *>(arg);
	Values a, b;
	if (w.workspace_bytes && !simScratch(w.workspace, w.workspace_bytes)) return;
	if (load(w.a, w.pa, w.tf32, a) && load(w.b, w.pb, w.tf32, b)) store(w.out, w.to, convolve(w.layer, w.pass, a, b));
}

static void drop(void *arg) { delete static_cast<Work *>(arg); }

// start checks a call's algorithm, workspace and scalars and enqueues it.
static cudnnStatus_t start(cudnnHandle_t h, const char *name, Work w, const cudnnConvolutionStruct &v, int number, const void *alpha, const void *beta) {
	if (*static_cast<const float *>(alpha) != 1 || *static_cast<const float *>(beta) != 0) return refuse(NOT_SUPPORTED, "%s: scalars other than 1 and 0", name);
	bool tensor_cores = v.math != CUDNN_FMA_MATH, found = false;
	if (w.a.type == CUDNN_DATA_BFLOAT16 && !tensor_cores) return refuse(NOT_SUPPORTED, "%s: bfloat16 wants tensor cores", name);
	for (const Algorithm &a : algorithms(w.pass))
		if (a.number == number && a.tensor_cores == (tensor_cores && a.ordered)) {
			found = true;
			if (w.workspace_bytes < a.workspace) return refuse(BAD, "%s: workspace of %zu bytes, the algorithm wants %zu", name, w.workspace_bytes, a.workspace);
			w.workspace_bytes = a.workspace;
		}
	if (!found) return refuse(NOT_SUPPORTED, "%s: no algorithm %d", name, number);
	w.tf32 = tensor_cores;
	return enqueue(h, name, run, drop, new Work(w));
}

template <class Perf>
static cudnnStatus_t query(Pass pass, const Shape &x, const Shape &w, const cudnnConvolutionStruct &v, const Shape &y, int wanted, int *n, Perf *perf) {
	Layer l;
	if (cudnnStatus_t s = layer(x, w, v, y, l); s != CUDNN_STATUS_SUCCESS) return s;
	*n = 0;
	for (const Algorithm &a : algorithms(pass)) {
		if (*n == wanted) break;
		bool allowed = a.tensor_cores ? v.math != CUDNN_FMA_MATH : x.type == CUDNN_DATA_FLOAT;
		Perf &p = perf[(*n)++];
		p = Perf{};
		p.algo = decltype(p.algo)(a.number);
		p.status = allowed ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED;
		p.memory = a.workspace;
		p.determinism = a.ordered ? CUDNN_DETERMINISTIC : CUDNN_NON_DETERMINISTIC;
		p.mathType = a.tensor_cores ? CUDNN_TENSOR_OP_MATH : v.math == CUDNN_FMA_MATH ? CUDNN_FMA_MATH : CUDNN_DEFAULT_MATH;
	}
	return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t workspace(Pass pass, const cudnnConvolutionStruct &v, int number, size_t *bytes) {
	for (const Algorithm &a : algorithms(pass))
		if (a.number == number && a.tensor_cores == (v.math != CUDNN_FMA_MATH && a.ordered)) {
			*bytes = a.workspace;
			return CUDNN_STATUS_SUCCESS;
		}
	return refuse(NOT_SUPPORTED, "no algorithm %d", number);
}

#define NEED(d) \
	do { \
		if (!(d) || !(d)->set) return refuse(BAD, "%s: " #d " is not set", __func__); \
	} while (0)

extern "C" {

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t *d) { *d = new cudnnTensorStruct; return CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t d) { delete d; return CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t *d) { *d = new cudnnFilterStruct; return CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t d) { delete d; return CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t *d) { *d = new cudnnConvolutionStruct; return CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t d) { delete d; return CUDNN_STATUS_SUCCESS; }

cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t d, cudnnTensorFormat_t format, cudnnDataType_t type, int n, int c, int h, int w) {
	ENTER();
	cudnnStatus_t s = fill(d->shape, format, type, n, c, h, w);
	d->set = s == CUDNN_STATUS_SUCCESS;
	return s;
}

cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t d, cudnnDataType_t type, cudnnTensorFormat_t format, int k, int c, int h, int w) {
	ENTER();
	cudnnStatus_t s = fill(d->shape, format, type, k, c, h, w);
	d->set = s == CUDNN_STATUS_SUCCESS;
	return s;
}

cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t d, cudnnMathType_t math) {
	ENTER();
	d->math = math;
	return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetConvolutionGroupCount(cudnnConvolutionDescriptor_t, int groups) {
	ENTER();
	return groups == 1 ? CUDNN_STATUS_SUCCESS : refuse(NOT_SUPPORTED, "%d groups are not simulated", groups);
}

cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t d, int pad_h, int pad_w, int u, int v, int dilation_h, int dilation_w, cudnnConvolutionMode_t mode, cudnnDataType_t type) {
	ENTER();
	if (mode != CUDNN_CROSS_CORRELATION || dilation_h != 1 || dilation_w != 1 || type != CUDNN_DATA_FLOAT)
		return refuse(NOT_SUPPORTED, "only float32 cross-correlation without dilation is simulated");
	d->pad[0] = pad_h, d->pad[1] = pad_w, d->stride[0] = u, d->stride[1] = v, d->set = true;
	return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(cudnnHandle_t, const cudnnTensorDescriptor_t x, const cudnnFilterDescriptor_t w, const cudnnConvolutionDescriptor_t v, const cudnnTensorDescriptor_t y, const int wanted, int *n, cudnnConvolutionFwdAlgoPerf_t *perf) {
	ENTER();
	NEED(x); NEED(w); NEED(v); NEED(y);
	return query(FORWARD, x->shape, w->shape, *v, y->shape, wanted, n, perf);
}

cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(cudnnHandle_t, const cudnnFilterDescriptor_t w, const cudnnTensorDescriptor_t dy, const cudnnConvolutionDescriptor_t v, const cudnnTensorDescriptor_t dx, const int wanted, int *n, cudnnConvolutionBwdDataAlgoPerf_t *perf) {
	ENTER();
	NEED(w); NEED(dy); NEED(v); NEED(dx);
	return query(INPUT_GRAD, dx->shape, w->shape, *v, dy->shape, wanted, n, perf);
}

cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(cudnnHandle_t, const cudnnTensorDescriptor_t x, const cudnnTensorDescriptor_t dy, const cudnnConvolutionDescriptor_t v, const cudnnFilterDescriptor_t dw, const int wanted, int *n, cudnnConvolutionBwdFilterAlgoPerf_t *perf) {
	ENTER();
	NEED(x); NEED(dy); NEED(v); NEED(dw);
	return query(PARAM_GRAD, x->shape, dw->shape, *v, dy->shape, wanted, n, perf);
}

cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t, const cudnnTensorDescriptor_t, const cudnnFilterDescriptor_t, const cudnnConvolutionDescriptor_t v, const cudnnTensorDescriptor_t, cudnnConvolutionFwdAlgo_t algo, size_t *bytes) {
	ENTER();
	return workspace(FORWARD, *v, algo, bytes);
}

cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(cudnnHandle_t, const cudnnFilterDescriptor_t, const cudnnTensorDescriptor_t, const cudnnConvolutionDescriptor_t v, const cudnnTensorDescriptor_t, cudnnConvolutionBwdDataAlgo_t algo, size_t *bytes) {
	ENTER();
	return workspace(INPUT_GRAD, *v, algo, bytes);
}

cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(cudnnHandle_t, const cudnnTensorDescriptor_t, const cudnnTensorDescriptor_t, const cudnnConvolutionDescriptor_t v, const cudnnFilterDescriptor_t, cudnnConvolutionBwdFilterAlgo_t algo, size_t *bytes) {
	ENTER();
	return workspace(PARAM_GRAD, *v, algo, bytes);
}

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t h, const void *alpha, const cudnnTensorDescriptor_t x, const void *px, const cudnnFilterDescriptor_t w, const void *pw, const cudnnConvolutionDescriptor_t v, cudnnConvolutionFwdAlgo_t algo, void *space, size_t bytes, const void *beta, const cudnnTensorDescriptor_t y, void *py) {
	ENTER();
	NEED(x); NEED(w); NEED(v); NEED(y);
	Layer l;
	if (cudnnStatus_t s = layer(x->shape, w->shape, *v, y->shape, l); s != CUDNN_STATUS_SUCCESS) return s;
	return start(h, __func__, Work{FORWARD, l, x->shape, w->shape, y->shape, px, pw, py, space, bytes, false}, *v, algo, alpha, beta);
}

cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t h, const void *alpha, const cudnnFilterDescriptor_t w, const void *pw, const cudnnTensorDescriptor_t dy, const void *pdy, const cudnnConvolutionDescriptor_t v, cudnnConvolutionBwdDataAlgo_t algo, void *space, size_t bytes, const void *beta, const cudnnTensorDescriptor_t dx, void *pdx) {
	ENTER();
	NEED(w); NEED(dy); NEED(v); NEED(dx);
	Layer l;
	if (cudnnStatus_t s = layer(dx->shape, w->shape, *v, dy->shape, l); s != CUDNN_STATUS_SUCCESS) return s;
	return start(h, __func__, Work{INPUT_GRAD, l, dy->shape, w->shape, dx->shape, pdy, pw, pdx, space, bytes, false}, *v, algo, alpha, beta);
}

cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t h, const void *alpha, const cudnnTensorDescriptor_t x, const void *px, const cudnnTensorDescriptor_t dy, const void *pdy, const cudnnConvolutionDescriptor_t v, cudnnConvolutionBwdFilterAlgo_t algo, void *space, size_t bytes, const void *beta, const cudnnFilterDescriptor_t dw, void *pdw) {
	ENTER();
	NEED(x); NEED(dy); NEED(v); NEED(dw);
	Layer l;
	if (cudnnStatus_t s = layer(x->shape, dw->shape, *v, dy->shape, l); s != CUDNN_STATUS_SUCCESS) return s;
	return start(h, __func__, Work{PARAM_GRAD, l, x->shape, dy->shape, dw->shape, px, pdy, pdw, space, bytes, false}, *v, algo, alpha, beta);
}

}
