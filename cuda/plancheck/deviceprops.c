/*
 * Prints the properties of this machine's first card as cuDNN writes them: a file for cuda/plancheck/cards.
 * Needs the card, its driver and cuDNN 9.8 or later.
 */
#include <cudnn.h>

#include <stdio.h>
#include <stdlib.h>

static void must(cudnnStatus_t s, const char *what) {
	char last[512] = "";
	if (s == CUDNN_STATUS_SUCCESS)
		return;
	cudnnGetLastErrorString(last, sizeof last);
	fprintf(stderr, "deviceprops: cuDNN %zu, %s: %s %s\n", cudnnGetVersion(), what, cudnnGetErrorString(s), last);
	exit(1);
}

int main(void) {
	cudnnBackendDescriptor_t d = NULL;
	int32_t card = 0;
	int64_t size = 0;
	must(cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &d), "descriptor of device properties");
	must(cudnnBackendSetAttribute(d, CUDNN_ATTR_DEVICEPROP_DEVICE_ID, CUDNN_TYPE_INT32, 1, &card), "the first card");
	must(cudnnBackendFinalize(d), "reading the card's properties");
	must(cudnnBackendGetAttribute(d, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, 0, &size, NULL), "size of the text");
	char *text = calloc(1, (size_t)size + 1);
	if (!text)
		return 1;
	must(cudnnBackendGetAttribute(d, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, size, &size, text), "the text");
	puts(text);
	free(text);
	return 0;
}
