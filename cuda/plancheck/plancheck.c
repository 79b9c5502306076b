/*
 * Asks the real cuDNN whether it has a plan for fused convolutions on a card that is not here. Compiled beside the
 * device's own cuda/internal/dnn/graph.c, so that what is asked here is what the device asks.
 *
 *   plancheck CARD.json SKIP < patterns
 *
 * A pattern is a line "PASS PRECISION n c h w k r stride pad bias residual raw act", as bench/roofline -patterns
 * writes it. The answer is a line "NUMBER ok ENGINE WORKSPACE tensor-cores|fma[,winograd]" or "NUMBER no REASON".
 * The first SKIP patterns are left out: the library can crash, and its caller then goes on behind the one that did it.
 */
#include "../internal/dnn/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CARD = 1 << 16, WORKSPACE = 256 << 20 };

static int name_of(const char *word, const char *const *names, int count) {
	for (int i = 0; i < count; i++)
		if (strcmp(word, names[i]) == 0)
			return i;
	return -1;
}

/* parse fills conv from a line and reports whether it is one. */
static int parse(const char *line, jem_conv *v) {
	static const char *const passes[] = {"forward", "input-gradient", "parameter-gradient"};
	static const char *const precisions[] = {"fp32", "tf32", "bf16"};
	char pass[32], precision[8];
	memset(v, 0, sizeof *v);
	v->slope = 0.2f;
	v->alignment = 16;
	int n = sscanf(line, "%31s %7s %d %d %d %d %d %d %d %d %d %d %d %d", pass, precision, &v->n, &v->c, &v->h, &v->w, &v->k,
	               &v->r, &v->stride, &v->pad, &v->bias, &v->residual, &v->raw, &v->act);
	v->pass = n == 14 ? name_of(pass, passes, 3) : -1;
	v->precision = n == 14 ? name_of(precision, precisions, 3) : -1;
	return v->pass >= 0 && v->precision >= 0;
}

/* card makes the descriptor of the card whose properties the file holds. It exits where that fails. */
static cudnnBackendDescriptor_t card(const char *path) {
	static char json[MAX_CARD];
	cudnnBackendDescriptor_t d = NULL;
	char last[512] = "";
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(json, 1, sizeof json, f) : 0;
	if (f)
		fclose(f);
	if (n == 0 || n == sizeof json) {
		fprintf(stderr, "plancheck: cannot read a card's properties from %s\n", path);
		exit(2);
	}
	cudnnStatus_t s = cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &d);
	if (s == CUDNN_STATUS_SUCCESS)
		s = cudnnBackendSetAttribute(d, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, (int64_t)n, json);
	if (s == CUDNN_STATUS_SUCCESS)
		s = cudnnBackendFinalize(d);
	if (s != CUDNN_STATUS_SUCCESS) {
		cudnnGetLastErrorString(last, sizeof last);
		fprintf(stderr, "plancheck: cuDNN %zu does not take %s: %s %s\n", cudnnGetVersion(), path, cudnnGetErrorString(s), last);
		exit(2);
	}
	return d;
}

static void answer(int number, cudnnBackendDescriptor_t properties, const jem_conv *v) {
	jem_target target = {.properties = properties};
	jem_limits limits = {.workspace = WORKSPACE};
	jem_plan plan;
	jem_failure failure;
	if (jem_plan_conv(target, v, &limits, &plan, &failure) == CUDNN_STATUS_SUCCESS)
		printf("%d ok %lld %lld %s%s\n", number, (long long)plan.engine, (long long)plan.workspace,
		       plan.tensor_cores ? "tensor-cores" : "fma", plan.winograd ? ",winograd" : "");
	else
		printf("%d no %s\n", number, failure.text);
	fflush(stdout);
	jem_plan_destroy(&plan);
}

int main(int argc, char **argv) {
	char line[512];
	jem_conv v;
	if (argc != 3) {
		fprintf(stderr, "usage: plancheck CARD.json SKIP < patterns\n");
		return 2;
	}
	cudnnBackendDescriptor_t properties = card(argv[1]);
	int skip = atoi(argv[2]);
	for (int number = 0; fgets(line, sizeof line, stdin); number++) {
		if (number < skip)
			continue;
		if (!parse(line, &v)) {
			fprintf(stderr, "plancheck: line %d is no pattern: %s", number + 1, line);
			return 2;
		}
		answer(number, properties, &v);
	}
	return 0;
}
