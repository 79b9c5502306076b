// Descriptors of the graph API: what may be set, what must be, and what can be asked.
#include "cudnn_graph.h"

#include <algorithm>
#include <cstring>

// Rule is an attribute that a descriptor takes.
struct Rule {
	cudnnBackendDescriptorType_t of;
	int name;
	cudnnBackendAttributeType_t type;
	int64_t least, most; // elements
	bool needed;
};

#define ONE(of, name, type, needed) {CUDNN_BACKEND_##of##_DESCRIPTOR, CUDNN_ATTR_##name, CUDNN_TYPE_##type, 1, 1, needed}
#define MANY(of, name, type, least, most) {CUDNN_BACKEND_##of##_DESCRIPTOR, CUDNN_ATTR_##name, CUDNN_TYPE_##type, least, most, true}

static const Rule rules[] = {
    ONE(TENSOR, TENSOR_DATA_TYPE, DATA_TYPE, true),
    MANY(TENSOR, TENSOR_DIMENSIONS, INT64, 4, 4),
    MANY(TENSOR, TENSOR_STRIDES, INT64, 4, 4),
    ONE(TENSOR, TENSOR_UNIQUE_ID, INT64, true),
    ONE(TENSOR, TENSOR_BYTE_ALIGNMENT, INT64, true),
    ONE(TENSOR, TENSOR_IS_VIRTUAL, BOOLEAN, false),
    ONE(CONVOLUTION, CONVOLUTION_COMP_TYPE, DATA_TYPE, true),
    ONE(CONVOLUTION, CONVOLUTION_CONV_MODE, CONVOLUTION_MODE, true),
    ONE(CONVOLUTION, CONVOLUTION_SPATIAL_DIMS, INT64, true),
    MANY(CONVOLUTION, CONVOLUTION_DILATIONS, INT64, 2, 2),
    MANY(CONVOLUTION, CONVOLUTION_FILTER_STRIDES, INT64, 2, 2),
    MANY(CONVOLUTION, CONVOLUTION_PRE_PADDINGS, INT64, 2, 2),
    MANY(CONVOLUTION, CONVOLUTION_POST_PADDINGS, INT64, 2, 2),
    ONE(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_CONV_DESC, BACKEND_DESCRIPTOR, true),
    ONE(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_X, BACKEND_DESCRIPTOR, true),
    ONE(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_W, BACKEND_DESCRIPTOR, true),
    ONE(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_Y, BACKEND_DESCRIPTOR, true),
    ONE(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_ALPHA, FLOAT, true),
    ONE(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_BETA, FLOAT, true),
    ONE(OPERATION_CONVOLUTION_BACKWARD_DATA, OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, BACKEND_DESCRIPTOR, true),
    ONE(OPERATION_CONVOLUTION_BACKWARD_DATA, OPERATION_CONVOLUTION_BWD_DATA_DY, BACKEND_DESCRIPTOR, true),
    ONE(OPERATION_CONVOLUTION_BACKWARD_DATA, OPERATION_CONVOLUTION_BWD_DATA_W, BACKEND_DESCRIPTOR, true),
    ONE(OPERATION_CONVOLUTION_BACKWARD_DATA, OPERATION_CONVOLUTION_BWD_DATA_DX, BACKEND_DESCRIPTOR, true),
    ONE(OPERATION_CONVOLUTION_BACKWARD_DATA, OPERATION_CONVOLUTION_BWD_DATA_ALPHA, FLOAT, true),
    ONE(OPERATION_CONVOLUTION_BACKWARD_DATA, OPERATION_CONVOLUTION_BWD_DATA_BETA, FLOAT, true),
    ONE(OPERATION_CONVOLUTION_BACKWARD_FILTER, OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, BACKEND_DESCRIPTOR, true),
    ONE(OPERATION_CONVOLUTION_BACKWARD_FILTER, OPERATION_CONVOLUTION_BWD_FILTER_X, BACKEND_DESCRIPTOR, true),
    ONE(OPERATION_CONVOLUTION_BACKWARD_FILTER, OPERATION_CONVOLUTION_BWD_FILTER_DY, BACKEND_DESCRIPTOR, true),
    ONE(OPERATION_CONVOLUTION_BACKWARD_FILTER, OPERATION_CONVOLUTION_BWD_FILTER_DW, BACKEND_DESCRIPTOR, true),
    ONE(OPERATION_CONVOLUTION_BACKWARD_FILTER, OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, FLOAT, true),
    ONE(OPERATION_CONVOLUTION_BACKWARD_FILTER, OPERATION_CONVOLUTION_BWD_FILTER_BETA, FLOAT, true),
    ONE(POINTWISE, POINTWISE_MODE, POINTWISE_MODE, true),
    ONE(POINTWISE, POINTWISE_MATH_PREC, DATA_TYPE, true),
    ONE(POINTWISE, POINTWISE_RELU_LOWER_CLIP_SLOPE, DOUBLE, false),
    ONE(OPERATION_POINTWISE, OPERATION_POINTWISE_PW_DESCRIPTOR, BACKEND_DESCRIPTOR, true),
    ONE(OPERATION_POINTWISE, OPERATION_POINTWISE_XDESC, BACKEND_DESCRIPTOR, true),
    ONE(OPERATION_POINTWISE, OPERATION_POINTWISE_BDESC, BACKEND_DESCRIPTOR, false),
    ONE(OPERATION_POINTWISE, OPERATION_POINTWISE_YDESC, BACKEND_DESCRIPTOR, false),
    ONE(OPERATION_POINTWISE, OPERATION_POINTWISE_DYDESC, BACKEND_DESCRIPTOR, false),
    ONE(OPERATION_POINTWISE, OPERATION_POINTWISE_DXDESC, BACKEND_DESCRIPTOR, false),
    MANY(OPERATIONGRAPH, OPERATIONGRAPH_OPS, BACKEND_DESCRIPTOR, 1, 16),
    ONE(OPERATIONGRAPH, OPERATIONGRAPH_HANDLE, HANDLE, true),
    ONE(ENGINEHEUR, ENGINEHEUR_OPERATION_GRAPH, BACKEND_DESCRIPTOR, true),
    ONE(ENGINEHEUR, ENGINEHEUR_MODE, HEUR_MODE, true),
    ONE(EXECUTION_PLAN, EXECUTION_PLAN_ENGINE_CONFIG, BACKEND_DESCRIPTOR, true),
    ONE(EXECUTION_PLAN, EXECUTION_PLAN_HANDLE, HANDLE, true),
    MANY(VARIANT_PACK, VARIANT_PACK_UNIQUE_IDS, INT64, 1, 64),
    MANY(VARIANT_PACK, VARIANT_PACK_DATA_POINTERS, VOID_PTR, 1, 64),
    ONE(VARIANT_PACK, VARIANT_PACK_WORKSPACE, VOID_PTR, true),
};

static size_t element(cudnnBackendAttributeType_t t) {
	switch (t) {
	case CUDNN_TYPE_BOOLEAN: return 1;
	case CUDNN_TYPE_INT64: case CUDNN_TYPE_DOUBLE: case CUDNN_TYPE_HANDLE: case CUDNN_TYPE_VOID_PTR: case CUDNN_TYPE_BACKEND_DESCRIPTOR: return 8;
	default: return 4;
	}
}

static cudnnStatus_t missing(const Descriptor &d) {
	for (const Rule &r : rules)
		if (r.of == d.type && r.needed && !d.set.count(r.name)) return refuse(BAD, "descriptor of type %d lacks attribute %d", int(d.type), r.name);
	return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t finish_tensor(Descriptor &d) {
	Tensor &t = d.tensor;
	auto dims = d.all<int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS), strides = d.all<int64_t>(CUDNN_ATTR_TENSOR_STRIDES);
	t.shape.type = d.one(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_DATA_FLOAT);
	if (t.shape.type != CUDNN_DATA_FLOAT && t.shape.type != CUDNN_DATA_BFLOAT16) return refuse(NOT_SUPPORTED, "data type %d is not simulated", int(t.shape.type));
	for (int i = 0; i < 4; i++) {
		if (dims[i] < 1 || strides[i] < 1) return refuse(BAD, "a tensor with dimension %ld, stride %ld", long(dims[i]), long(strides[i]));
		t.shape.dim[i] = dims[i], t.shape.stride[i] = strides[i];
	}
	if (!t.shape.packed()) return refuse(BAD, "a tensor's strides leave gaps or overlap");
	t.id = d.one<int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID, 0);
	t.alignment = d.one<int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 0);
	t.is_virtual = d.one<bool>(CUDNN_ATTR_TENSOR_IS_VIRTUAL, false);
	if (t.alignment < int64_t(t.shape.element()) || t.alignment & (t.alignment - 1)) return refuse(BAD, "alignment of %ld bytes", long(t.alignment));
	return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t finish_graph(Descriptor &d) {
	std::vector<const Descriptor *> operations;
	for (auto op : d.all<cudnnBackendDescriptor_t>(CUDNN_ATTR_OPERATIONGRAPH_OPS)) operations.push_back(static_cast<const Descriptor *>(op));
	d.program = std::make_shared<Program>();
	d.handle = d.one<cudnnHandle_t>(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, nullptr);
	return read_program(operations, *d.program);
}

static cudnnStatus_t finish_heuristics(Descriptor &d) {
	const Descriptor *g = d.link(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
	auto mode = d.one(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_HEUR_MODE_A);
	if (mode != CUDNN_HEUR_MODE_A && mode != CUDNN_HEUR_MODE_FALLBACK) return refuse(NOT_SUPPORTED, "heuristics of mode %d are not simulated", int(mode));
	d.program = g->program, d.handle = g->handle;
	d.engines = engines(*g->program, mode == CUDNN_HEUR_MODE_FALLBACK);
	return d.engines.empty() ? NOT_SUPPORTED : CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t finish_plan(Descriptor &d) {
	const Descriptor *config = d.link(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
	d.program = config->program, d.engines = config->engines;
	d.handle = d.one<cudnnHandle_t>(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, nullptr);
	return d.handle == config->handle ? CUDNN_STATUS_SUCCESS : refuse(BAD, "a plan for another handle than its graph's");
}

static cudnnStatus_t finish(Descriptor &d) {
	if (cudnnStatus_t s = missing(d); s != CUDNN_STATUS_SUCCESS) return s;
	switch (d.type) {
	case CUDNN_BACKEND_TENSOR_DESCRIPTOR: return finish_tensor(d);
	case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR: return finish_graph(d);
	case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR: return finish_heuristics(d);
	case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR: return finish_plan(d);
	case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR:
		if (d.set[CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS].count != d.set[CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS].count) return refuse(BAD, "as many pointers as ids, please");
		return CUDNN_STATUS_SUCCESS;
	default: return CUDNN_STATUS_SUCCESS;
	}
}

static bool simulated(cudnnBackendDescriptorType_t t) {
	if (t == CUDNN_BACKEND_ENGINE_DESCRIPTOR || t == CUDNN_BACKEND_ENGINECFG_DESCRIPTOR) return true;
	for (const Rule &r : rules)
		if (r.of == t) return true;
	return false;
}

extern "C" {

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t *d) {
	ENTER();
	if (!simulated(type)) return refuse(NOT_SUPPORTED, "descriptors of type %d are not simulated", int(type));
	*d = new Descriptor{type, false, {}, {}, {}, {}, nullptr};
	return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t d) {
	delete static_cast<Descriptor *>(d);
	return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t to, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count, const void *values) {
	ENTER();
	Descriptor &d = *static_cast<Descriptor *>(to);
	if (d.finalized) return refuse(BAD, "attribute %d of a finalized descriptor", int(name));
	for (const Rule &r : rules) {
		if (r.of != d.type || r.name != int(name)) continue;
		if (r.type != type || count < r.least || count > r.most) return refuse(BAD, "attribute %d: type %d, %ld elements", int(name), int(type), long(count));
		auto *p = static_cast<const unsigned char *>(values);
		d.set[name] = Attribute{type, count, std::vector<unsigned char>(p, p + count * element(type))};
		if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR)
			for (auto link : d.all<cudnnBackendDescriptor_t>(name))
				if (!link || !static_cast<Descriptor *>(link)->finalized) return refuse(BAD, "attribute %d: a descriptor that is not finalized", int(name));
		return CUDNN_STATUS_SUCCESS;
	}
	return refuse(NOT_SUPPORTED, "attribute %d of descriptor type %d is not simulated", int(name), int(d.type));
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t to) {
	ENTER();
	Descriptor &d = *static_cast<Descriptor *>(to);
	if (d.finalized) return refuse(BAD, "a descriptor finalized twice");
	cudnnStatus_t s = finish(d);
	d.finalized = s == CUDNN_STATUS_SUCCESS;
	return s;
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t const from, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t, int64_t requested, int64_t *count, void *values) {
	ENTER();
	const Descriptor &d = *static_cast<const Descriptor *>(from);
	if (!d.finalized) return refuse(BAD, "attribute %d of a descriptor that is not finalized", int(name));
	auto hand = [&](cudnnBackendDescriptorType_t type, int64_t i) { // the i-th engine to a descriptor of the caller's
		Descriptor &to = *static_cast<Descriptor **>(values)[i];
		if (to.type != type) return false;
		to.program = d.program, to.handle = d.handle, to.engines = {d.engines[i]}, to.finalized = true;
		return true;
	};
	int64_t n = 1;
	switch (int(name)) {
	case CUDNN_ATTR_ENGINEHEUR_RESULTS:
		n = std::min<int64_t>(requested, d.engines.size());
		for (int64_t i = 0; i < n; i++)
			if (!hand(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, i)) return refuse(BAD, "results go to engine configurations");
		break;
	case CUDNN_ATTR_ENGINECFG_ENGINE:
		if (!hand(CUDNN_BACKEND_ENGINE_DESCRIPTOR, 0)) return refuse(BAD, "an engine goes to an engine descriptor");
		break;
	case CUDNN_ATTR_ENGINE_GLOBAL_INDEX: *static_cast<int64_t *>(values) = d.engines[0].index; break;
	case CUDNN_ATTR_ENGINE_NUMERICAL_NOTE:
		n = std::min<int64_t>(requested, d.engines[0].notes.size());
		memcpy(values, d.engines[0].notes.data(), n * sizeof(cudnnBackendNumericalNote_t));
		break;
	case CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE: *static_cast<int64_t *>(values) = d.engines[0].workspace; break;
	default: return refuse(NOT_SUPPORTED, "asking for attribute %d is not simulated", int(name));
	}
	if (count) *count = n;
	return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t pack) {
	ENTER();
	auto &p = *static_cast<const Descriptor *>(plan), &v = *static_cast<const Descriptor *>(pack);
	if (!p.finalized || p.type != CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR || !v.finalized || v.type != CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR || p.handle != handle)
		return refuse(BAD, "execute takes a finalized plan of the handle and a finalized variant pack");
	return execute(handle, p, v);
}

}
