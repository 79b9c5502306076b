# Everything that is done with this project has a target here; make help lists them.

SHELL      := /bin/bash
GO         ?= go
BIN        := bin
RELEASE    := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS    := -s -w -X main.release=$(RELEASE)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
PLATFORMS  := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
KERNELS    := conv_avx2 conv_avx512 peak_avx2 peak_avx512 pointwise_avx2 pointwise_avx512 wino_avx2 wino_avx512 wino8_avx2 wino8_avx512 wino_bf16_avx512
FUZZTIME   ?= 20s
TESTFLAGS  ?=
export CGO_ENABLED ?= 0

.DEFAULT_GOAL := build

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z0-9%-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-16s %s\n", $$1, $$2 }'

.PHONY: build
build: ## the program, bin/jem: one static file without C
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/jem ./cmd/jem

REVISION   ?= $(shell git rev-parse HEAD 2>/dev/null)
IMAGE_PLATFORMS ?= linux/$(shell $(GO) env GOARCH)
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
.PHONY: image
image: ## the CPU program as a container image, made without an engine: build/image/oci, and a tar for docker load; IMAGE_PLATFORMS='linux/amd64 linux/arm64'
	@set -e; for p in $(IMAGE_PLATFORMS); do GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o build/image/bin/$$p/jem ./cmd/jem; done
	@cd docker/image && $(GO) run . -out $(CURDIR)/build/image -version '$(RELEASE)' -revision '$(REVISION)' -created $(SOURCE_DATE_EPOCH) \
		-license $(CURDIR)/LICENSE $(foreach p,$(IMAGE_PLATFORMS),$(p)=$(CURDIR)/build/image/bin/$(p)/jem)

.PHONY: mpi
mpi: ## the program with MPI for several ranks, bin/jem-mpi: opens the MPI library that the launcher brings; without C, needs glibc
	CGO_ENABLED=0 $(GO) build -trimpath -tags mpi -ldflags '$(LDFLAGS)' -o $(BIN)/jem-mpi ./cmd/jem

.PHONY: test-containers
test-containers: build ## build the images of docker/ and run them, with Debian's buildah and runc; as root on Debian, else it says why not
	scripts/containers.sh

.PHONY: toy
toy: build ## a model in the plane, in seconds: runs/toy/index.html
	bin/jem toy

.PHONY: demo
demo: build ## train a small model on Fashion-MNIST, evaluate it, draw samples
	scripts/demo.sh $(if $(DATA_DIR),--data-dir $(DATA_DIR))

.PHONY: gallery
gallery: build ## run every example of examples/; SIZE=small: with a few training steps, to see that each runs
	scripts/gallery.sh $(if $(filter small,$(SIZE)),--small)

.PHONY: test
test: ## go vet and every test; under ten minutes on two cores, twice that and more with portable kernels
	$(GO) vet ./...
	$(GO) test -timeout 60m $(TESTFLAGS) ./...   # go's own 10 minutes a package are too few for portable kernels

.PHONY: browser
browser: ## a headless Chromium for the tests of pages: Debian's, unpacked into a cache outside the tree; without one they are skipped
	scripts/chromium.sh

.PHONY: test-levels
test-levels: ## the CPU device as on machines with fewer instruction sets, by force, and with more, under qemu-user
	scripts/test-levels.sh

.PHONY: test-arm64
test-arm64: ## tests of the arm64 build under qemu-user
	scripts/test-arm64.sh

.PHONY: test-race
test-race: ## the packages that share memory between goroutines, under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race -short $(TESTFLAGS) ./comm ./comm/mem ./internal/data ./feed/... ./train ./train/step ./train/journal ./train/gauges ./train/session ./serve ./serve/batch
	CGO_ENABLED=1 $(GO) test -race -short $(TESTFLAGS) -run 'Worker|Thread|Region|Pool' ./backend/cpu

.PHONY: test-mpi
test-mpi: ## the MPI engine on each MPI that is here or can be had: contract, ranks that stop, die and are left alone
	scripts/mpi.sh test $(TESTFLAGS)

.PHONY: test-crash
test-crash: ## 200 runs killed and 100 signalled at random moments: each must end as if never stopped
	JEM_CRASH_KILLS=200 JEM_CRASH_SIGNALS=100 $(GO) test -count=1 -timeout 3h -v -run 'TestKilledRuns|TestSignalledRuns' ./cmd/jem

.PHONY: test-slurm
test-slurm: build mpi ## cluster/slurm's scripts under Debian's Slurm, installed and started in a temporary folder; needs root
	scripts/slurm.sh

.PHONY: test-kubernetes
test-kubernetes: ## cluster/kubernetes' manifests by a real API server and controller of Jobs, built once into a cache outside the tree
	scripts/kubernetes.sh

.PHONY: test-alerts
test-alerts: ## the figures for Prometheus, and the example of rules on them, by promtool (Debian's goes into a cache outside the tree)
	scripts/alerts.sh

.PHONY: test-serving
test-serving: build ## jem serve by the Python clients of Triton and KServe, which pip brings into a cache outside the tree
	scripts/test-serving.sh

.PHONY: soak-serve
soak-serve: ## jem serve for SOAK (10m) of clients that hang up, stall and send garbage: memory, goroutines and answers
	JEM_SOAK=$(or $(SOAK),10m) $(GO) test -count=1 -v -timeout 30m -run TestSoakOfServing ./cmd/jem

.PHONY: lint
lint: ## gofmt and staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$unformatted" ]; then echo "gofmt -w $$unformatted"; exit 1; fi
	$(GO) run $(STATICCHECK) ./...
	cd docker/image && $(GO) run $(STATICCHECK) ./...

.PHONY: lint-mpi
lint-mpi: ## vet and staticcheck of the build with MPI
	$(GO) vet -tags mpi ./comm/... ./train/... ./cmd/jem
	$(GO) run $(STATICCHECK) -tags mpi ./comm/... ./cmd/jem

.PHONY: lint-cuda
lint-cuda: ## staticcheck of the GPU build; needs a CUDA toolkit
	scripts/cuda-env.sh $(GO) run $(STATICCHECK) -tags cuda,mpi ./cuda/... ./comm/... ./kernels ./cmd/jem

VETTED ?= linux/arm64 darwin/arm64 windows/amd64# no file is for a system and an architecture at once, but for linux/amd64, which make test vets
.PHONY: cross
cross: ## build for every platform, to see that it does, and vet for each system and each architecture; VETTED='$(PLATFORMS)' vets all
	@set -e; for p in $(PLATFORMS); do echo "  $$p"; GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -o /dev/null ./cmd/jem; done
	@set -e; for p in $(VETTED); do echo "  vet $$p"; GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) vet ./... ; done

.PHONY: generate
generate: ## write the assembly again from its generator
	@set -e; cd backend/cpu/asm/gen; for kernels in $(KERNELS); do \
		family=$${kernels%_*} isa=$${kernels##*_} out=../$${kernels}_amd64; echo "  $$family $$isa"; \
		$(GO) run . -isa $$isa -family $$family -out $$out.s -stubs $$out.go -pkg asm; done

.PHONY: generate-check
generate-check: generate ## see that the committed assembly is what the generator writes
	@git diff --exit-code --stat -- backend/cpu/asm || { echo "the committed assembly differs from its generator: commit what make generate wrote"; exit 1; }
	@test -z "$$(git ls-files --others --exclude-standard -- backend/cpu/asm)" || { echo "make generate wrote files that are not committed"; exit 1; }

.PHONY: bench
bench: build ## time a training step and each convolution
	$(BIN)/jem bench step
	$(BIN)/jem bench layers

TURNS = $(if $(BESIDE),--beside '$(BESIDE)')
.PHONY: bench-peers bench-busy bench-eval bench-serving
bench-peers: build ## the same training step here, in PyTorch and in another build, BESIDE=, in turns (PyTorch goes into a cache outside the tree)
	bench/peers/run.sh $(TURNS) $(BENCHFLAGS)

bench-busy: build ## a training step with one core kept busy by something else, and without; BESIDE=
	bench/busy.sh $(TURNS) $(BENCHFLAGS)

bench-eval: build ## jem eval --task ood of a trained MODEL=, a run's folder; BESIDE=
	bench/eval.sh $(TURNS) '$(MODEL)' $(BENCHFLAGS)

bench-serving: build ## answers of a trained MODEL=, by batch and to many who ask at once, in turns with onnxruntime (which goes into a cache outside the tree)
	bench/serving.sh $(BENCHFLAGS) '$(MODEL)'

GROWTH ?= docs/results/growth
.PHONY: bench-growth
bench-growth: build ## how a step's time grows with batch, SGLD steps and threads: tables and charts in GROWTH
	$(BIN)/jem bench growth --out $(GROWTH)

.PHONY: bench-scaling
bench-scaling: mpi ## 1, 2 and 4 ranks on this machine beside one with all threads, and beside what jem bench scaling foretells
	bench/scaling.sh $(BENCHFLAGS)

.PHONY: fuzz
fuzz: ## every fuzz test for FUZZTIME (20s)
	@set -e; for p in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
		echo "  $$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p; done; done

.PHONY: cover
cover: ## coverage of the tests, cover.html
	$(GO) test -short -coverprofile cover.out ./...
	$(GO) tool cover -html cover.out -o cover.html
	$(GO) tool cover -func cover.out | tail -1

.PHONY: cuda
cuda: kernels ## the program with the GPU device, also for several ranks, bin/jem-cuda: for the toolkit found, or CUDA=13.0 or 12.4
	scripts/cuda-env.sh $(GO) build -trimpath -tags cuda,mpi -ldflags '$(LDFLAGS)' -o $(BIN)/jem-cuda ./cmd/jem

.PHONY: cuda-toolchain
cuda-toolchain: ## bring nvcc and cuDNN (CUDA=13.0, 12.4 or all), or NCCL for tests (CUDA=nccl), to a cache outside the tree; needs no GPU
	scripts/cuda-toolchain.sh $(CUDA)

.PHONY: kernels
kernels: ## compile the CUDA kernels with every toolkit that is here
	scripts/cuda-kernels.sh

.PHONY: kernels-check
kernels-check: ## the same, and what ptxas says of them: no spills; prints the table of registers
	scripts/kernels-check.sh

.PHONY: kernels-mutate
kernels-mutate: kernels ## break the kernels in one place after the other: the tests must notice each
	scripts/kernels-mutate.sh

.PHONY: test-cuda-sim
test-cuda-sim: kernels ## the CUDA program and its tests on the stand-ins for driver, cuDNN and NCCL; needs no GPU
	scripts/cuda-sim-test.sh

.PHONY: plan-check
plan-check: ## ask the real cuDNN for a plan of every convolution, for cards that are not here
	scripts/plan-check.sh --details build/plan-check.txt

.PHONY: test-gpu bench-gpu
test-gpu: gpu-bundle ## the conformance suite and the golden steps on this machine's GPU
	build/jem-gpu-bundle/run.sh --only machine,test,golden,ranks --out runs/gpu

bench-gpu: gpu-bundle ## step times, kernels' bandwidth and PyTorch's step on this machine's GPU
	build/jem-gpu-bundle/run.sh --only machine,bench --out runs/gpu

.PHONY: gpu-bundle
gpu-bundle: ## one folder to carry to a machine with a GPU: build/jem-gpu-bundle, and its .tar.gz
	scripts/gpu-bundle.sh

SCALE      ?= small
REPRODUCE   = $(BIN)/jem reproduce --scale $(SCALE) $(if $(DATA_DIR),--data-dir $(DATA_DIR)) $(if $(OUT),--out $(OUT)) $(REPRODUCEFLAGS)

reproduce-%: build ## a table or figure of the paper: make reproduce-table1 SCALE=smoke|small|paper [DATA_DIR=] [OUT=]; reproduce-all makes every one
	$(REPRODUCE) $*

.PHONY: results
results: ## copy the tables of a reproduction into docs/results/SCALE: make results SCALE=small [OUT=]
	mkdir -p docs/results/$(SCALE)
	cd $(or $(OUT),runs/reproduce-$(SCALE))/tables && cp *.md *.json *.csv *.png *.svg $(CURDIR)/docs/results/$(SCALE)/   # .html has the same once more

data-%: build ## download a set: make data-cifar10, data-cifar100, data-svhn, data-mnist, data-fashion-mnist
	$(BIN)/jem data fetch $*

.PHONY: ci
ci: ## what the build machine runs
	.ci/run

.PHONY: clean
clean: ## remove what the targets above made, runs excepted
	rm -rf $(BIN) build kernels/fatbin/*.fatbin cover.out cover.html
