//go:build cuda

#include "graph.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/*
 * A build is the descriptors of one operation graph while it is made. The first call that
 * fails is remembered; all later ones do nothing, so that the code reads as if none failed.
 */
enum { MAX_DESCRIPTORS = 24, MAX_OPERATIONS = 5, MAX_CONFIGS = 64 };

typedef struct {
	cudnnBackendDescriptor_t all[MAX_DESCRIPTORS];
	int n;
	cudnnBackendDescriptor_t operations[MAX_OPERATIONS];
	int operation_count;
	int64_t next_id; /* of virtual tensors */
	int64_t alignment;
	jem_plan *plan;  /* collects the places of real tensors */
	jem_failure *failure;
} build;

static void fail(jem_failure *f, const char *what, cudnnStatus_t status) {
	if (f->status != CUDNN_STATUS_SUCCESS)
		return;
	f->status = status;
	char last[384] = "";
#if CUDNN_MAJOR >= 9
	cudnnGetLastErrorString(last, sizeof last);
#endif
	snprintf(f->text, sizeof f->text, "%s: %s%s%.384s", what, cudnnGetErrorString(status), last[0] ? ": " : "", last);
}

static int ok(build *b) { return b->failure->status == CUDNN_STATUS_SUCCESS; }

static cudnnBackendDescriptor_t create(build *b, cudnnBackendDescriptorType_t type) {
	cudnnBackendDescriptor_t d = NULL;
	if (!ok(b))
		return NULL;
	cudnnStatus_t s = b->n == MAX_DESCRIPTORS ? CUDNN_STATUS_INTERNAL_ERROR : cudnnBackendCreateDescriptor(type, &d);
	if (s != CUDNN_STATUS_SUCCESS)
		fail(b->failure, "cudnnBackendCreateDescriptor", s);
	else
		b->all[b->n++] = d;
	return d;
}

static void set(build *b, cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count, const void *values) {
	if (!ok(b))
		return;
	cudnnStatus_t s = cudnnBackendSetAttribute(d, name, type, count, values);
	if (s != CUDNN_STATUS_SUCCESS) {
		char what[64];
		snprintf(what, sizeof what, "cudnnBackendSetAttribute(%d)", (int)name);
		fail(b->failure, what, s);
	}
}

static void set_int(build *b, cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name, int64_t v) {
	set(b, d, name, CUDNN_TYPE_INT64, 1, &v);
}

static void set_descriptor(build *b, cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name, cudnnBackendDescriptor_t v) {
	set(b, d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &v);
}

static void set_type(build *b, cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name, cudnnDataType_t v) {
	set(b, d, name, CUDNN_TYPE_DATA_TYPE, 1, &v);
}

static void set_float(build *b, cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name, float v) {
	set(b, d, name, CUDNN_TYPE_FLOAT, 1, &v);
}

static void finalize(build *b, cudnnBackendDescriptor_t d, const char *what) {
	if (!ok(b))
		return;
	cudnnStatus_t s = cudnnBackendFinalize(d);
	if (s != CUDNN_STATUS_SUCCESS)
		fail(b->failure, what, s);
}

/* tensor describes (d0,d1,d2,d3) in the order N,C,H,W that lies channels last. place -1: virtual. */
static cudnnBackendDescriptor_t tensor(build *b, int place, cudnnDataType_t type, int64_t d0, int64_t d1, int64_t d2, int64_t d3) {
	cudnnBackendDescriptor_t t = create(b, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
	int64_t dims[4] = {d0, d1, d2, d3}, strides[4] = {d1 * d2 * d3, 1, d3 * d1, d1};
	set_type(b, t, CUDNN_ATTR_TENSOR_DATA_TYPE, type);
	set(b, t, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, dims);
	set(b, t, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, strides);
	set_int(b, t, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, b->alignment);
	if (place < 0) {
		const bool virtual = true;
		set(b, t, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &virtual);
		set_int(b, t, CUDNN_ATTR_TENSOR_UNIQUE_ID, b->next_id++);
	} else {
		set_int(b, t, CUDNN_ATTR_TENSOR_UNIQUE_ID, place + 1);
		b->plan->places[b->plan->count++] = place;
	}
	finalize(b, t, "tensor descriptor");
	return t;
}

static void add_operation(build *b, cudnnBackendDescriptor_t op, const char *what) {
	finalize(b, op, what);
	if (ok(b))
		b->operations[b->operation_count++] = op;
}

static void set_scales(build *b, cudnnBackendDescriptor_t op, cudnnBackendAttributeName_t alpha, cudnnBackendAttributeName_t beta) {
	set_float(b, op, alpha, 1);
	set_float(b, op, beta, 0);
}

static int width(const jem_conv *v) { return v->s ? v->s : v->r; }
static int pad_width(const jem_conv *v) { return v->s ? v->pad_w : v->pad; }

static cudnnBackendDescriptor_t convolution(build *b, const jem_conv *v) {
	cudnnBackendDescriptor_t d = create(b, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
	int64_t ones[2] = {1, 1}, strides[2] = {v->stride, v->stride}, pads[2] = {v->pad, pad_width(v)};
	cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
	set_type(b, d, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
	set(b, d, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
	set_int(b, d, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 2);
	set(b, d, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, ones);
	set(b, d, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, strides);
	set(b, d, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, pads);
	set(b, d, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, pads);
	finalize(b, d, "convolution descriptor");
	return d;
}

/* pointwise adds out = mode(in, with). For RELU_BWD in is the gradient, with the activation. */
static void pointwise(build *b, cudnnPointwiseMode_t mode, float slope, cudnnBackendDescriptor_t in, cudnnBackendDescriptor_t with, cudnnBackendDescriptor_t out) {
	cudnnBackendDescriptor_t d = create(b, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
	set(b, d, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
	set_type(b, d, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
	if (mode == CUDNN_POINTWISE_RELU_FWD || mode == CUDNN_POINTWISE_RELU_BWD) {
		double lower = slope;
		set(b, d, CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, CUDNN_TYPE_DOUBLE, 1, &lower);
	}
	finalize(b, d, "pointwise descriptor");
	cudnnBackendDescriptor_t op = create(b, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
	set_descriptor(b, op, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, d);
	if (mode == CUDNN_POINTWISE_RELU_BWD) {
		set_descriptor(b, op, CUDNN_ATTR_OPERATION_POINTWISE_DYDESC, in);
		set_descriptor(b, op, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, with);
		set_descriptor(b, op, CUDNN_ATTR_OPERATION_POINTWISE_DXDESC, out);
	} else {
		set_descriptor(b, op, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, in);
		if (with)
			set_descriptor(b, op, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, with);
		set_descriptor(b, op, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, out);
	}
	add_operation(b, op, "pointwise operation");
}

static int out_size(int in, int window, int pad, int stride) { return (in + 2 * pad - window) / stride + 1; }

static cudnnDataType_t storage(const jem_conv *v) {
	return v->precision == JEM_BF16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

static cudnnBackendDescriptor_t x_tensor(build *b, const jem_conv *v, int place) {
	return tensor(b, place, place < 0 ? CUDNN_DATA_FLOAT : storage(v), v->n, v->c, v->h, v->w);
}

static cudnnBackendDescriptor_t y_tensor(build *b, const jem_conv *v, int place) {
	return tensor(b, place, place < 0 ? CUDNN_DATA_FLOAT : storage(v), v->n, v->k,
	              out_size(v->h, v->r, v->pad, v->stride), out_size(v->w, width(v), pad_width(v), v->stride));
}

/* Intermediate results are virtual float32 tensors; the last of a row of steps is the output. */
static void forward(build *b, const jem_conv *v) {
	int left = (v->bias != 0) + (v->residual != 0); /* additions to come before raw */
	int last = v->raw ? JEM_RAW : v->act ? -1 : JEM_RAW;
	cudnnBackendDescriptor_t x = x_tensor(b, v, JEM_X), w = tensor(b, JEM_W, storage(v), v->k, v->c, v->r, width(v));
	cudnnBackendDescriptor_t y = y_tensor(b, v, left ? -1 : last);
	cudnnBackendDescriptor_t op = create(b, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
	set_descriptor(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, convolution(b, v));
	set_descriptor(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x);
	set_descriptor(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w);
	set_descriptor(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y);
	set_scales(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA);
	add_operation(b, op, "forward convolution");
	if (v->bias) {
		cudnnBackendDescriptor_t bias = tensor(b, JEM_BIAS, CUDNN_DATA_FLOAT, 1, v->k, 1, 1), sum = y_tensor(b, v, --left ? -1 : last);
		pointwise(b, CUDNN_POINTWISE_ADD, 0, y, bias, sum);
		y = sum;
	}
	if (v->residual) {
		cudnnBackendDescriptor_t residual = y_tensor(b, v, JEM_RESIDUAL), sum = y_tensor(b, v, last);
		pointwise(b, CUDNN_POINTWISE_ADD, 0, y, residual, sum);
		y = sum;
	}
	if (v->act)
		pointwise(b, CUDNN_POINTWISE_RELU_FWD, v->slope, y, NULL, y_tensor(b, v, JEM_ACT));
}

static void input_grad(build *b, const jem_conv *v) {
	int left = (v->act != 0) + (v->residual != 0);
	cudnnBackendDescriptor_t dy = y_tensor(b, v, JEM_Y), w = tensor(b, JEM_W, storage(v), v->k, v->c, v->r, width(v));
	cudnnBackendDescriptor_t dx = x_tensor(b, v, left ? -1 : JEM_DX);
	cudnnBackendDescriptor_t op = create(b, CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR);
	set_descriptor(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, convolution(b, v));
	set_descriptor(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, dy);
	set_descriptor(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, w);
	set_descriptor(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, dx);
	set_scales(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA);
	add_operation(b, op, "input gradient");
	if (v->act) {
		cudnnBackendDescriptor_t act = x_tensor(b, v, JEM_ACT), gated = x_tensor(b, v, --left ? -1 : JEM_DX);
		pointwise(b, CUDNN_POINTWISE_RELU_BWD, v->slope, dx, act, gated);
		dx = gated;
	}
	if (v->residual)
		pointwise(b, CUDNN_POINTWISE_ADD, 0, dx, x_tensor(b, v, JEM_RESIDUAL), x_tensor(b, v, JEM_DX));
}

/* From bfloat16 operands the float32 gradient needs an identity after the convolution. */
static void param_grad(build *b, const jem_conv *v) {
	int cast = v->precision == JEM_BF16;
	cudnnBackendDescriptor_t x = x_tensor(b, v, JEM_X), dy = y_tensor(b, v, JEM_Y);
	cudnnBackendDescriptor_t dw = tensor(b, cast ? -1 : JEM_DW, CUDNN_DATA_FLOAT, v->k, v->c, v->r, width(v));
	cudnnBackendDescriptor_t op = create(b, CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR);
	set_descriptor(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, convolution(b, v));
	set_descriptor(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, x);
	set_descriptor(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, dy);
	set_descriptor(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, dw);
	set_scales(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA);
	add_operation(b, op, "parameter gradient");
	if (cast)
		pointwise(b, CUDNN_POINTWISE_IDENTITY, 0, dw, NULL, tensor(b, JEM_DW, CUDNN_DATA_FLOAT, v->k, v->c, v->r, width(v)));
}

static cudnnBackendDescriptor_t operation_graph(build *b, jem_target target, const jem_conv *v) {
	switch (v->pass) {
	case JEM_FORWARD: forward(b, v); break;
	case JEM_INPUT_GRAD: input_grad(b, v); break;
	default: param_grad(b, v);
	}
	cudnnBackendDescriptor_t g = create(b, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
	set(b, g, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, b->operation_count, b->operations);
	if (target.handle)
		set(b, g, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &target.handle);
	finalize(b, g, "operation graph");
	return g;
}

/* Numerical notes of an engine, as a set of bits. */
static unsigned notes_of(cudnnBackendDescriptor_t config, int64_t *index) {
	cudnnBackendDescriptor_t engine = NULL;
	cudnnBackendNumericalNote_t notes[16];
	int64_t n = 0;
	unsigned bits = 0;
	if (cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine) != CUDNN_STATUS_SUCCESS)
		return ~0u;
	if (cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &n, &engine) != CUDNN_STATUS_SUCCESS ||
	    cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &n, index) != CUDNN_STATUS_SUCCESS ||
	    cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, 16, &n, notes) != CUDNN_STATUS_SUCCESS)
		bits = ~0u;
	else
		for (int i = 0; i < n && i < 16; i++)
			bits |= 1u << notes[i];
	cudnnBackendDestroyDescriptor(engine);
	return bits;
}

#define NOTE(name) (1u << CUDNN_NUMERICAL_NOTE_##name)

static int acceptable(unsigned notes, const jem_conv *v, const jem_limits *limits) {
	if (notes == ~0u || notes & NOTE(REDUCED_PRECISION_REDUCTION))
		return 0;
	if (!limits->any_order && notes & NOTE(NONDETERMINISTIC))
		return 0;
	return v->precision != JEM_FP32 || !(notes & (NOTE(TENSOR_CORE) | NOTE(DOWN_CONVERT_INPUTS)));
}

/* try_config makes an execution plan of an engine configuration, if it fits the limits. */
static int try_config(jem_target target, cudnnBackendDescriptor_t config, const jem_limits *limits, jem_plan *plan) {
	cudnnBackendDescriptor_t p = NULL;
	int64_t n = 0;
	if (cudnnBackendCreateDescriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &p) != CUDNN_STATUS_SUCCESS)
		return 0;
	cudnnStatus_t s = cudnnBackendSetAttribute(p, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &config);
	if (s == CUDNN_STATUS_SUCCESS && target.handle)
		s = cudnnBackendSetAttribute(p, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &target.handle);
#ifdef JEM_DEVICE_PROPERTIES
	if (s == CUDNN_STATUS_SUCCESS && target.properties)
		s = cudnnBackendSetAttribute(p, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &target.properties);
#endif
	if (s == CUDNN_STATUS_SUCCESS)
		s = cudnnBackendFinalize(p);
	if (s == CUDNN_STATUS_SUCCESS)
		s = cudnnBackendGetAttribute(p, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &n, &plan->workspace);
	if (s == CUDNN_STATUS_SUCCESS && plan->workspace <= limits->workspace) {
		plan->plan = p;
		return 1;
	}
	cudnnBackendDestroyDescriptor(p);
	return 0;
}

/* search goes through the engines that one mode of the heuristics proposes. skip counts down. */
static int search(build *b, jem_target target, cudnnBackendDescriptor_t graph, cudnnBackendHeurMode_t mode, const jem_conv *v, const jem_limits *limits, int *skip) {
	cudnnBackendDescriptor_t heuristics = create(b, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR), configs[MAX_CONFIGS];
	set_descriptor(b, heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
	set(b, heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
#ifdef JEM_DEVICE_PROPERTIES
	if (target.properties)
		set_descriptor(b, heuristics, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, target.properties);
#endif
	/* A mode that has no proposal fails here: that is an answer, not a fault. */
	if (!ok(b) || cudnnBackendFinalize(heuristics) != CUDNN_STATUS_SUCCESS)
		return 0;
	int made = 0, found = 0;
	int64_t n = 0;
	while (made < MAX_CONFIGS && cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &configs[made]) == CUDNN_STATUS_SUCCESS)
		made++;
	if (cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, made, &n, configs) != CUDNN_STATUS_SUCCESS)
		n = 0;
	for (int i = 0; i < n && i < made && !found; i++) {
		unsigned notes = notes_of(configs[i], &b->plan->engine);
		if (!acceptable(notes, v, limits) || !try_config(target, configs[i], limits, b->plan))
			continue;
		if ((*skip)-- > 0) {
			cudnnBackendDestroyDescriptor(b->plan->plan);
			b->plan->plan = NULL;
			continue;
		}
		b->plan->winograd = (notes & (NOTE(WINOGRAD) | NOTE(WINOGRAD_TILE_4x4) | NOTE(WINOGRAD_TILE_6x6) | NOTE(WINOGRAD_TILE_13x13))) != 0;
		b->plan->tensor_cores = (notes & NOTE(TENSOR_CORE)) != 0;
		found = 1;
	}
	for (int i = 0; i < made; i++)
		cudnnBackendDestroyDescriptor(configs[i]);
	return found;
}

cudnnStatus_t jem_plan_conv(jem_target target, const jem_conv *conv, const jem_limits *limits, jem_plan *plan, jem_failure *failure) {
	memset(plan, 0, sizeof *plan);
	memset(failure, 0, sizeof *failure);
	build b = {.plan = plan, .failure = failure, .next_id = 100, .alignment = conv->alignment};
	cudnnBackendDescriptor_t graph = operation_graph(&b, target, conv);
	int skip = limits->skip;
	int found = ok(&b) && (search(&b, target, graph, CUDNN_HEUR_MODE_A, conv, limits, &skip) ||
	                       search(&b, target, graph, CUDNN_HEUR_MODE_FALLBACK, conv, limits, &skip));
	if (!found)
		fail(failure, "no engine for the fused convolution", CUDNN_STATUS_NOT_SUPPORTED);
	for (int i = b.n - 1; i >= 0; i--)
		cudnnBackendDestroyDescriptor(b.all[i]);
	return failure->status;
}

void jem_plan_destroy(jem_plan *plan) {
	if (plan->plan)
		cudnnBackendDestroyDescriptor(plan->plan);
	plan->plan = NULL;
}

cudnnStatus_t jem_plan_run(cudnnHandle_t handle, const jem_plan *plan, void *const pointers[JEM_PLACES], void *workspace, jem_failure *failure) {
	failure->status = CUDNN_STATUS_SUCCESS;
	build b = {.failure = failure};
	int64_t ids[JEM_PLACES];
	void *data[JEM_PLACES];
	for (int i = 0; i < plan->count; i++) {
		ids[i] = plan->places[i] + 1;
		data[i] = pointers[plan->places[i]];
	}
	cudnnBackendDescriptor_t pack = create(&b, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
	set(&b, pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, plan->count, ids);
	set(&b, pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, plan->count, data);
	set(&b, pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace);
	finalize(&b, pack, "variant pack");
	if (ok(&b)) {
		cudnnStatus_t s = cudnnBackendExecute(handle, plan->plan, pack);
		if (s != CUDNN_STATUS_SUCCESS)
			fail(failure, "cudnnBackendExecute", s);
	}
	for (int i = 0; i < b.n; i++)
		cudnnBackendDestroyDescriptor(b.all[i]);
	return failure->status;
}
