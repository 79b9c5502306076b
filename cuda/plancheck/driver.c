/*
 * What plancheck has in place of libcuda.so.1: there is no card, and cuDNN asks the driver for nothing but to keep the
 * kernels that it has compiled. All other functions are generated beside these and return CUDA_ERROR_NO_DEVICE.
 * Checked against the real driver's library on a machine without a card: the same plans.
 */
typedef void *handle;

int cuLibraryLoadData(handle *library) {
	*library = library;
	return 0;
}

int cuLibraryGetKernel(handle *kernel) {
	*kernel = kernel;
	return 0;
}

int cuKernelGetFunction(handle *function) {
	*function = function;
	return 0;
}

int cuLibraryUnload(handle library) { return library == 0; }

int cuKernelSetAttribute(void) { return 0; }

int cuFuncSetAttribute(void) { return 0; }
