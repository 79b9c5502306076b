/*
 * Stands before cuDNN's cudnn.h, so that gorgonia.org/cu/dnn v0.9.6 (generated for cuDNN 8.0)
 * compiles unmodified against cuDNN 8.9 and 9. cuDNN 9 removed the algorithm descriptors and
 * the persistent RNN plans, which the binding wraps and this program never calls.
 */
#pragma GCC system_header
#ifndef JEM_COMPAT_CUDNN_H
#define JEM_COMPAT_CUDNN_H

#include_next <cudnn.h>

#if CUDNN_MAJOR < 8 || CUDNN_MAJOR > 9 || (CUDNN_MAJOR == 8 && CUDNN_MINOR < 9)
#error "jem builds against cuDNN 8.9 and 9: install one of them beside the CUDA toolkit, or make both with make cuda-toolchain"
#endif

#if CUDNN_MAJOR >= 9
typedef struct jemNoAlgorithm *cudnnAlgorithmDescriptor_t;
typedef struct jemNoPerformance *cudnnAlgorithmPerformance_t;
typedef struct jemNoPersistentPlan *cudnnPersistentRNNPlan_t;
typedef struct {
	union {
		cudnnConvolutionFwdAlgo_t convFwdAlgo;
		cudnnConvolutionBwdFilterAlgo_t convBwdFilterAlgo;
		cudnnConvolutionBwdDataAlgo_t convBwdDataAlgo;
		cudnnRNNAlgo_t RNNAlgo;
		cudnnCTCLossAlgo_t CTCLossAlgo;
	} algo;
} cudnnAlgorithm_t;

#define JEM_REMOVED(name, ...) \
	static inline cudnnStatus_t name(__VA_ARGS__) { return CUDNN_STATUS_NOT_SUPPORTED; }
JEM_REMOVED(cudnnCreateAlgorithmDescriptor, cudnnAlgorithmDescriptor_t *a)
JEM_REMOVED(cudnnSetAlgorithmDescriptor, cudnnAlgorithmDescriptor_t a, cudnnAlgorithm_t b)
JEM_REMOVED(cudnnDestroyAlgorithmDescriptor, cudnnAlgorithmDescriptor_t a)
JEM_REMOVED(cudnnCreateAlgorithmPerformance, cudnnAlgorithmPerformance_t *a, int n)
JEM_REMOVED(cudnnSetAlgorithmPerformance, cudnnAlgorithmPerformance_t a, cudnnAlgorithmDescriptor_t b, cudnnStatus_t s, float time, size_t memory)
JEM_REMOVED(cudnnDestroyAlgorithmPerformance, cudnnAlgorithmPerformance_t *a, int n)
JEM_REMOVED(cudnnCreatePersistentRNNPlan, cudnnRNNDescriptor_t a, const int batch, const cudnnDataType_t t, cudnnPersistentRNNPlan_t *b)
JEM_REMOVED(cudnnSetPersistentRNNPlan, cudnnRNNDescriptor_t a, cudnnPersistentRNNPlan_t b)
JEM_REMOVED(cudnnDestroyPersistentRNNPlan, cudnnPersistentRNNPlan_t a)
JEM_REMOVED(cudnnSetRNNMatrixMathType, cudnnRNNDescriptor_t a, cudnnMathType_t t)
#undef JEM_REMOVED

/*
 * The binding turns every status above this name into "not supported". It was the highest code
 * in 8 and is a low one in 9: raised, each status reaches the caller with its number.
 */
#define CUDNN_STATUS_RUNTIME_FP_OVERFLOW 9999
#endif

#endif
