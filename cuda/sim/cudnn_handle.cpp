// Handles, versions and errors of the stand-in for libcudnn.
#include "cudnn_sim.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>

static thread_local std::string last_error;

cudnnStatus_t refuse(cudnnStatus_t status, const char *format, ...) {
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	last_error = text;
	return status;
}

cudnnStatus_t enter(const char *name) {
	int code = simCall(name);
	if (code == 0) return CUDNN_STATUS_SUCCESS;
	// What the driver reports (no context, a device fault) reaches callers as these.
	if (code == 201) return refuse(CUDNN_STATUS_NOT_INITIALIZED, "%s: no current context", name);
	if (code >= 700 && code < 720) return refuse(CUDNN_STATUS_EXECUTION_FAILED, "%s: the device has failed (%d)", name, code);
	return refuse(cudnnStatus_t(code), "%s: injected failure", name);
}

cudnnStatus_t enqueue(cudnnHandle_t handle, const char *name, void (*run)(void *), void (*drop)(void *), void *arg) {
	int code = simEnqueue(handle->stream, run, drop, arg, name);
	return code == 0 ? CUDNN_STATUS_SUCCESS : refuse(CUDNN_STATUS_EXECUTION_FAILED, "%s: the stream refuses work (%d)", name, code);
}

extern "C" {

size_t cudnnGetVersion(void) { return CUDNN_VERSION; }

const char *cudnnGetErrorString(cudnnStatus_t s) {
	switch (int(s)) {
	case CUDNN_STATUS_SUCCESS: return "CUDNN_STATUS_SUCCESS";
	case CUDNN_STATUS_NOT_INITIALIZED: return "CUDNN_STATUS_NOT_INITIALIZED";
	case CUDNN_STATUS_BAD_PARAM: return "CUDNN_STATUS_BAD_PARAM";
	case CUDNN_STATUS_NOT_SUPPORTED: return "CUDNN_STATUS_NOT_SUPPORTED";
	case CUDNN_STATUS_EXECUTION_FAILED: return "CUDNN_STATUS_EXECUTION_FAILED";
	case CUDNN_STATUS_INTERNAL_ERROR: return "CUDNN_STATUS_INTERNAL_ERROR";
	}
	return "CUDNN_STATUS of another kind";
}

#if CUDNN_MAJOR >= 9
void cudnnGetLastErrorString(char *message, size_t size) { snprintf(message, size, "%s", last_error.c_str()); }
#endif

cudnnStatus_t cudnnCreate(cudnnHandle_t *handle) {
	ENTER();
	*handle = new cudnnContext;
	return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
	ENTER();
	delete handle;
	return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
	ENTER();
	handle->stream = reinterpret_cast<CUstream>(stream);
	return CUDNN_STATUS_SUCCESS;
}

// cudnnSimMissing names an entry point that the stand-in lacks; the generated ones call it.
int cudnnSimMissing(const char *name) {
	fprintf(stderr, "cudnn stand-in: %s is not simulated\n", name);
	return refuse(CUDNN_STATUS_NOT_SUPPORTED, "%s is not simulated", name);
}

}
