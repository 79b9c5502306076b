package asm

// PointwiseFor returns the kernels of an instruction set that this machine has.
func PointwiseFor(isa ISA) Pointwise {
	switch isa {
	case AVX512:
		return Pointwise{
			LeakyReLU:      leakyReLUAVX512,
			LeakyReLUGrad:  leakyReLUGradAVX512,
			Axpy:           axpyAVX512,
			AxpySquared:    axpySquaredAVX512,
			Lerp:           lerpAVX512,
			Clamp:          clampAVX512,
			Sign:           signAVX512,
			Box:            boxAVX512,
			Drop:           dropAVX512,
			Adam:           adamAVX512,
			SGD:            sgdAVX512,
			Drift:          driftAVX512,
			SGLD:           sgldAVX512,
			Normal:         normalAVX512,
			Uniform:        uniformAVX512,
			SumSquares:     sumSquaresAVX512,
			ProductSquares: productSquaresAVX512,
			Dot:            dotAVX512,
			PixelSum:       pixelSumAVX512,
			PixelGrad:      pixelGradAVX512,
			NormSum:        normSumAVX512,
			NormSquares:    normSquaresAVX512,
			NormApply:      normApplyAVX512,
			NormGradSums:   normGradSumsAVX512,
			NormInputGrad:  normInputGradAVX512,
		}
	case AVX2:
		return Pointwise{
			LeakyReLU:      leakyReLUAVX2,
			LeakyReLUGrad:  leakyReLUGradAVX2,
			Axpy:           axpyAVX2,
			AxpySquared:    axpySquaredAVX2,
			Lerp:           lerpAVX2,
			Clamp:          clampAVX2,
			Sign:           signAVX2,
			Box:            boxAVX2,
			Drop:           dropAVX2,
			Adam:           adamAVX2,
			SGD:            sgdAVX2,
			Drift:          driftAVX2,
			SGLD:           sgldAVX2,
			Normal:         normalAVX2,
			Uniform:        uniformAVX2,
			SumSquares:     sumSquaresAVX2,
			ProductSquares: productSquaresAVX2,
			Dot:            dotAVX2,
			PixelSum:       pixelSumAVX2,
			PixelGrad:      pixelGradAVX2,
			NormSum:        normSumAVX2,
			NormSquares:    normSquaresAVX2,
			NormApply:      normApplyAVX2,
			NormGradSums:   normGradSumsAVX2,
			NormInputGrad:  normInputGradAVX2,
		}
	}
	return genericPointwise()
}
