// Operation graphs of the stand-in for libcudnn: which are understood, which have engines, and
// what they compute.
#include "cudnn_graph.h"

#include <algorithm>

bool Engine::has(cudnnBackendNumericalNote_t n) const { return std::find(notes.begin(), notes.end(), n) != notes.end(); }

static const Tensor &tensor(const Descriptor *op, int name) { return op->link(name)->tensor; }

static cudnnStatus_t read_convolution(const Descriptor *op, Program &p) {
	int conv;
	const Tensor *x, *w, *y;
	float alpha, beta;
	switch (op->type) {
	case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
		p.pass = FORWARD, conv = CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC;
		p.a = tensor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X), p.b = tensor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W), p.out = tensor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y);
		alpha = op->one(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 0.f), beta = op->one(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.f);
		x = &p.a, w = &p.b, y = &p.out;
		break;
	case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
		p.pass = INPUT_GRAD, conv = CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC;
		p.a = tensor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY), p.b = tensor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W), p.out = tensor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX);
		alpha = op->one(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 0.f), beta = op->one(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, 0.f);
		y = &p.a, w = &p.b, x = &p.out;
		break;
	case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR:
		p.pass = PARAM_GRAD, conv = CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC;
		p.a = tensor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X), p.b = tensor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY), p.out = tensor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW);
		alpha = op->one(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, 0.f), beta = op->one(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, 0.f);
		x = &p.a, y = &p.b, w = &p.out;
		break;
	default: return refuse(NOT_SUPPORTED, "graphs begin with a convolution");
	}
	const Descriptor &v = *op->link(conv);
	auto stride = v.all<int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES), pre = v.all<int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS), post = v.all<int64_t>(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS), dilation = v.all<int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS);
	if (alpha != 1 || beta != 0 || stride[0] != stride[1] || pre != post || dilation != std::vector<int64_t>{1, 1} ||
	    v.one(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, int64_t(0)) != 2 || v.one(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CONVOLUTION) != CUDNN_CROSS_CORRELATION ||
	    v.one(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_HALF) != CUDNN_DATA_FLOAT)
		return refuse(NOT_SUPPORTED, "this kind of convolution is not simulated");
	const int64_t *xd = x->shape.dim, *wd = w->shape.dim, *yd = y->shape.dim;
	Layer l{xd[0], xd[1], xd[2], xd[3], wd[0], wd[2], wd[3], yd[2], yd[3], stride[0], pre[0], pre[1]};
	if (wd[1] != l.c || yd[0] != l.n || yd[1] != l.k || !l.fits())
		return refuse(BAD, "the shapes are no convolution");
	p.layer = l;
	return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t read_step(const Descriptor *op, Program &p) {
	if (op->type != CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR) return refuse(NOT_SUPPORTED, "a convolution is followed by pointwise operations");
	const Descriptor &pw = *op->link(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
	Step s{};
	s.mode = pw.one(CUDNN_ATTR_POINTWISE_MODE, CUDNN_POINTWISE_ADD);
	s.slope = pw.one(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, 0.0);
	int in = CUDNN_ATTR_OPERATION_POINTWISE_XDESC, with = CUDNN_ATTR_OPERATION_POINTWISE_BDESC, out = CUDNN_ATTR_OPERATION_POINTWISE_YDESC;
	switch (s.mode) {
	case CUDNN_POINTWISE_RELU_BWD: in = CUDNN_ATTR_OPERATION_POINTWISE_DYDESC, with = CUDNN_ATTR_OPERATION_POINTWISE_XDESC, out = CUDNN_ATTR_OPERATION_POINTWISE_DXDESC; [[fallthrough]];
	case CUDNN_POINTWISE_ADD: s.binary = true; break;
	case CUDNN_POINTWISE_RELU_FWD: case CUDNN_POINTWISE_IDENTITY: break;
	default: return refuse(NOT_SUPPORTED, "pointwise mode %d is not simulated", int(s.mode));
	}
	if (!op->link(in) || !op->link(out) || s.binary != (op->link(with) != nullptr)) return refuse(BAD, "pointwise mode %d with the wrong operands", int(s.mode));
	s.in = tensor(op, in), s.out = tensor(op, out);
	if (s.binary) s.with = tensor(op, with);
	const Tensor &before = p.steps.empty() ? p.out : p.steps.back().out;
	if (s.in.id != before.id || !s.in.shape.same_size(s.out.shape)) return refuse(NOT_SUPPORTED, "each operation takes the result of the one before");
	if (s.binary && !s.with.shape.same_size(s.in.shape)) {
		const int64_t *d = s.with.shape.dim;
		if (s.mode != CUDNN_POINTWISE_ADD || d[0] != 1 || d[1] != s.in.shape.dim[1] || d[2] != 1 || d[3] != 1) return refuse(BAD, "the operands' shapes differ");
	}
	p.steps.push_back(s);
	return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t read_program(const std::vector<const Descriptor *> &operations, Program &p) {
	cudnnStatus_t s = read_convolution(operations[0], p);
	for (size_t i = 1; i < operations.size() && s == CUDNN_STATUS_SUCCESS; i++) s = read_step(operations[i], p);
	return s;
}

// supported keeps to the patterns that the real library was seen to plan.
static bool supported(const Program &p) {
	const bool fused = !p.steps.empty();
	std::vector<Tensor> all{p.a, p.b, p.out};
	for (const Step &s : p.steps) {
		all.push_back(s.out);
		if (s.binary) all.push_back(s.with);
	}
	for (const Tensor &t : all) {
		if (!t.shape.channels_last()) return refuse(NOT_SUPPORTED, "fused patterns exist for NHWC only"), false;
		if (t.is_virtual && t.shape.type != CUDNN_DATA_FLOAT) return refuse(NOT_SUPPORTED, "intermediate results are float32"), false;
	}
	const cudnnDataType_t type = p.a.shape.type;
	if (type != p.b.shape.type) return refuse(NOT_SUPPORTED, "mixed operands"), false;
	if (type == CUDNN_DATA_BFLOAT16) {
		if (p.layer.c % 2 || p.layer.k % 2) return refuse(NOT_SUPPORTED, "bfloat16 wants even numbers of channels"), false;
		if (p.pass == PARAM_GRAD && !fused && p.out.shape.type == CUDNN_DATA_FLOAT) return refuse(NOT_SUPPORTED, "a float32 gradient of bfloat16 operands wants an identity behind it"), false;
	}
	if (p.pass == INPUT_GRAD && fused && p.layer.c % 2) return refuse(NOT_SUPPORTED, "no fused input gradient for an odd number of channels"), false;
	if (p.pass == PARAM_GRAD && fused && (p.steps.size() > 1 || p.steps[0].mode != CUDNN_POINTWISE_IDENTITY)) return refuse(NOT_SUPPORTED, "nothing is fused to a parameter gradient"), false;
	return true;
}

// The first proposal has no fixed order, so that a caller who takes it unseen is found out; the
// engine without tensor cores comes last and takes float32 only.
std::vector<Engine> engines(const Program &p, bool fallback) {
	if (!supported(p)) return {};
	const Engine quick{7, {CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC}, 0};
	const Engine tensor_cores{13, {CUDNN_NUMERICAL_NOTE_TENSOR_CORE}, p.pass == PARAM_GRAD ? 4096 : 0}, plain{1, {}, 1024};
	if (fallback) return p.a.shape.type == CUDNN_DATA_FLOAT ? std::vector<Engine>{plain} : std::vector<Engine>{};
	return {quick, tensor_cores};
}

// Job is a program with its memory, on its way to the stream.
struct Job {
	std::shared_ptr<Program> program;
	std::map<int64_t, void *> memory; // by id
	Engine engine;
	void *workspace;
};

static double pointwise(const Step &s, double in, double with) {
	switch (s.mode) {
	case CUDNN_POINTWISE_ADD: return in + with;
	case CUDNN_POINTWISE_RELU_FWD: return in > 0 ? in : s.slope * in;
	case CUDNN_POINTWISE_RELU_BWD: return with > 0 ? in : s.slope * in;
	default: return in;
	}
}

// run reads all operands before it writes a result: a result may take an operand's place.
static void run(void *arg) {
	Job &j = *static_cast<Job *>(arg);
	const Program &p = *j.program;
	const bool tf32 = j.engine.has(CUDNN_NUMERICAL_NOTE_TENSOR_CORE);
	Values a, b;
	if (j.engine.workspace && !simScratch(j.workspace, j.engine.workspace)) return;
	if (!load(p.a.shape, j.memory[p.a.id], tf32, a) || !load(p.b.shape, j.memory[p.b.id], tf32, b)) return;
	std::vector<Values> with(p.steps.size()), results{convolve(p.layer, p.pass, a, b)};
	for (size_t i = 0; i < p.steps.size(); i++)
		if (p.steps[i].binary && !load(p.steps[i].with.shape, j.memory[p.steps[i].with.id], false, with[i])) return;
	for (size_t i = 0; i < p.steps.size(); i++) {
		Values out = results.back();
		const size_t channels = with[i].empty() ? 1 : with[i].size();
		for (size_t e = 0; e < out.size(); e++) out[e] = pointwise(p.steps[i], out[e], with[i].empty() ? 0 : with[i][e % channels]);
		results.push_back(std::move(out));
	}
	if (!p.out.is_virtual && !store(p.out.shape, j.memory[p.out.id], results[0])) return;
	for (size_t i = 0; i < p.steps.size(); i++)
		if (const Tensor &t = p.steps[i].out; !t.is_virtual && !store(t.shape, j.memory[t.id], results[i + 1])) return;
}

static void drop(void *arg) { delete static_cast<Job *>(arg); }

cudnnStatus_t execute(cudnnHandle_t handle, const Descriptor &plan, const Descriptor &pack) {
	auto ids = pack.all<int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
	auto pointers = pack.all<void *>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
	Job job{plan.program, {}, plan.engines[0], pack.one<void *>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, nullptr)};
	for (size_t i = 0; i < ids.size(); i++) job.memory[ids[i]] = pointers[i];
	const Program &p = *plan.program;
	std::vector<Tensor> needed{p.a, p.b, p.out};
	for (const Step &s : p.steps) {
		needed.push_back(s.out);
		if (s.binary) needed.push_back(s.with);
	}
	for (const Tensor &t : needed) {
		if (t.is_virtual) continue;
		void *at = job.memory.count(t.id) ? job.memory[t.id] : nullptr;
		if (!at || uintptr_t(at) % t.alignment) return refuse(BAD, "tensor %ld is at %p, aligned to %ld", long(t.id), at, long(t.alignment));
		if (!simInside(at, t.shape.count() * t.shape.element())) return refuse(BAD, "tensor %ld at %p leaves its memory", long(t.id), at);
	}
	if (job.engine.workspace && !simInside(job.workspace, job.engine.workspace)) return refuse(BAD, "a workspace of %ld bytes is wanted", long(job.engine.workspace));
	return enqueue(handle, "cudnnBackendExecute", run, drop, new Job(job));
}
