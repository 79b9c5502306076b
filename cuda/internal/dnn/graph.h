//go:build cuda

/*
 * Convolutions of cuDNN's graph API with what the network needs fused to them. Plain C over
 * cudnnBackend*, so that it needs neither cuDNN's C++ frontend nor Go: make plan-check compiles
 * it alone and asks the real library for plans on machines without a card.
 *
 * Images lie as N,H,W,C; weights as K,R,S,C. Sizes are those of the forward convolution
 * x (n,c,h,w) * w (k,c,r,r) -> y (n,k,p,q), whatever the pass.
 */
#ifndef JEM_GRAPH_H
#define JEM_GRAPH_H

#include <cudnn.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
	JEM_FORWARD,    /* raw = x*w + bias + residual, act = LeakyReLU(raw) */
	JEM_INPUT_GRAD, /* dx = (dy*w^T) . (act > 0 ? 1 : slope) + residual */
	JEM_PARAM_GRAD, /* dw = x*dy, always float32 */
} jem_pass;

/* How a plan may compute. Sums are float32 in all. */
typedef enum {
	JEM_FP32, /* float32 storage, fused multiply-add: no engine with tensor cores */
	JEM_TF32, /* float32 storage, tensor cores allowed: operands are rounded to 10 bits */
	JEM_BF16, /* bfloat16 storage (bias and weight gradient float32), tensor cores */
} jem_precision;

/* One fused convolution. The flags say which operands of the pass's formula there are. */
typedef struct {
	int pass, precision;
	int n, c, h, w, k, r, stride, pad;
	int bias, residual; /* operands added */
	int raw, act;       /* forward: outputs stored, at least one. input gradient: act is the gate */
	int alignment;      /* of all operands, in bytes: 16, or less for views in odd places */
	float slope;
	int s, pad_w; /* width of a kernel that isn't square, and its padding; s 0: as r and pad */
} jem_conv;

/* What a plan may take. */
typedef struct {
	int64_t workspace; /* bytes at most */
	int any_order;     /* allow engines whose sums have no fixed order */
	int skip;          /* leave out the first so many acceptable plans: for timing the next best */
} jem_limits;

/* Where a plan is to run: a handle, or the properties of a card that is not here (cuDNN 9.8). */
typedef struct {
	cudnnHandle_t handle;
	cudnnBackendDescriptor_t properties;
} jem_target;

/* Operands by place; unused ones may be NULL. */
typedef enum { JEM_X, JEM_W, JEM_Y, JEM_BIAS, JEM_RESIDUAL, JEM_RAW, JEM_ACT, JEM_DX, JEM_DW, JEM_PLACES } jem_place;
/*
 * forward: X, W, BIAS, RESIDUAL -> RAW, ACT. input gradient: Y (dy), W, ACT, RESIDUAL -> DX.
 * parameter gradient: X, Y (dy) -> DW.
 */

typedef struct {
	cudnnBackendDescriptor_t plan;
	int64_t workspace;
	int64_t engine;      /* cuDNN's index of the engine */
	int winograd;        /* the engine transforms tiles: its rounding is wider */
	int tensor_cores;
	int places[JEM_PLACES];
	int count;
} jem_plan;

typedef struct {
	cudnnStatus_t status;
	char text[512]; /* the call that failed and cuDNN's last words about it */
} jem_failure;

/*
 * jem_plan_conv asks cuDNN's heuristics for engines, best first, and makes *plan of the first
 * that keeps to the limits. It returns CUDNN_STATUS_NOT_SUPPORTED when there is none.
 */
cudnnStatus_t jem_plan_conv(jem_target target, const jem_conv *conv, const jem_limits *limits, jem_plan *plan, jem_failure *failure);

void jem_plan_destroy(jem_plan *plan);

/* jem_plan_run enqueues the plan on the handle's stream. pointers is indexed by jem_place. */
cudnnStatus_t jem_plan_run(cudnnHandle_t handle, const jem_plan *plan, void *const pointers[JEM_PLACES], void *workspace, jem_failure *failure);

#endif
