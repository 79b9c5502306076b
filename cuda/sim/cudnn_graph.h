// The graph API's descriptors in the stand-in for libcudnn.
#ifndef JEM_CUDNN_GRAPH_SIM_H
#define JEM_CUDNN_GRAPH_SIM_H

#include <cstring>
#include <map>
#include <memory>

#include "cudnn_sim.h"

// Attribute is what cudnnBackendSetAttribute was given.
struct Attribute {
	cudnnBackendAttributeType_t type;
	int64_t count;
	std::vector<unsigned char> bytes;
};

struct Tensor {
	Shape shape;
	int64_t id, alignment;
	bool is_virtual;
};

// Step is a pointwise operation: out = mode(in, with).
struct Step {
	cudnnPointwiseMode_t mode;
	double slope;
	Tensor in, with, out;
	bool binary;
};

// Program is an operation graph: a convolution and what follows it.
struct Program {
	Pass pass;
	Layer layer;
	Tensor a, b, out; // x,w,y; dy,w,dx; x,dy,dw
	std::vector<Step> steps;
};

// Engine is a way to compute a program.
struct Engine {
	int64_t index;
	std::vector<cudnnBackendNumericalNote_t> notes;
	int64_t workspace;
	bool has(cudnnBackendNumericalNote_t n) const;
};

// Descriptor is behind every cudnnBackendDescriptor_t. Which of the members have a meaning
// follows from its type.
struct Descriptor {
	cudnnBackendDescriptorType_t type;
	bool finalized = false;
	std::map<int, Attribute> set;

	Tensor tensor;
	std::shared_ptr<Program> program;
	std::vector<Engine> engines; // of heuristics: all proposals; of config, engine and plan: the one
	cudnnHandle_t handle = nullptr;

	// all returns an attribute's elements, none where it isn't set.
	template <class T>
	std::vector<T> all(int name) const {
		auto found = set.find(name);
		if (found == set.end()) return {};
		const T *p = reinterpret_cast<const T *>(found->second.bytes.data());
		return std::vector<T>(p, p + found->second.count);
	}
	template <class T>
	T one(int name, T otherwise) const {
		auto found = set.find(name);
		if (found != set.end()) memcpy(&otherwise, found->second.bytes.data(), sizeof otherwise);
		return otherwise;
	}
	const Descriptor *link(int name) const {
		return static_cast<const Descriptor *>(one<cudnnBackendDescriptor_t>(name, nullptr));
	}
};

// read_program makes a program of an operation graph's operations, or says what doesn't fit.
cudnnStatus_t read_program(const std::vector<const Descriptor *> &operations, Program &p);

// engines lists those for a program, best first; none, with a reason, where the real library
// has none for the pattern.
std::vector<Engine> engines(const Program &p, bool fallback);

// execute enqueues a plan's program.
cudnnStatus_t execute(cudnnHandle_t handle, const Descriptor &plan, const Descriptor &pack);

#endif
