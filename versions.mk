# Versions of what the CUDA build is made with. Read by make and sourced by bash: NAME=value, no blanks.
# The CUDA roots that scripts/cuda-toolchain.sh makes are named by CUDA's version.
CUDA_ROOTS="13.0 12.4"
CUDA_DEFAULT=13.0

# CUDA 13.0 with cuDNN 9: everything comes as wheels.
NVCC_13_0=13.0.88
CUDART_13_0=13.0.96
CCCL_13_0=13.0.85
NVRTC_13_0=13.0.88
CUDNN_13_0=9.19.0.56

# NVIDIA's own NCCL, for what can be asked of it without a card.
NCCL=2.32.3

# CUDA 12.4 with cuDNN 8.9: nvcc is in a Debian package, its headers and cuDNN are wheels.
NVCC_12_4=12.4.131
CUDART_12_4=12.4.127
CUDNN_12_4=8.9.7.29
DEBIAN_12_4=trixie
