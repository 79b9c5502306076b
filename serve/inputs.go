package serve

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"jem/internal/fault"
	"jem/serve/batch"
	"jem/serve/protocol"
)

// The inputs, of which a request has one.
const (
	imagesInput   = "images"   // FP32 (N,C,H,W) in [−1,1]; UINT8 (N,C,H,W) or (N,H,W,C)
	picturesInput = "pictures" // BYTES (N): files as jem score reads them
)

// limits are those of a request to a model.
func (s *Server) limits(m *batch.Model) protocol.Limits {
	c, h, w := m.Shape()
	return protocol.Limits{Elements: s.o.Images * c * h * w, Texts: s.o.Images}
}

// unpacked is how many bytes the images of a request will take beside its body.
func unpacked(inputs []protocol.Tensor, m *batch.Model) (bytes int64) {
	c, h, w := m.Shape()
	for _, in := range inputs {
		bytes += 4 * int64(len(in.Texts)*c*h*w+len(in.U8)+len(in.F32))
	}
	return bytes
}

// images are those of a request, (n,C,H,W) in [−1,1].
func (s *Server) images(ctx context.Context, inputs []protocol.Tensor, m *batch.Model) (images []float32, n int, err error) {
	if len(inputs) != 1 {
		return nil, 0, refusef(http.StatusBadRequest, "the request has %d inputs: it wants one, %s or %s", len(inputs), imagesInput, picturesInput)
	}
	in := inputs[0]
	switch {
	case in.Name == imagesInput && in.Datatype != protocol.Bytes:
		images, n, err = pixels(in, m)
	case in.Name == picturesInput && in.Datatype == protocol.Bytes:
		n = len(in.Texts)
		images, err = s.pictures(ctx, in, m)
	default:
		return nil, 0, refusef(http.StatusBadRequest, "there is no input %s of %s: there are %s of FP32 or UINT8, and %s of BYTES", clipped(in.Name), in.Datatype, imagesInput, picturesInput)
	}
	if err == nil && n == 0 {
		err = refusef(http.StatusBadRequest, "input %s has no images", in.Name)
	}
	return images, n, err
}

// pixels are a tensor's images.
func pixels(in protocol.Tensor, m *batch.Model) (images []float32, n int, err error) {
	c, h, w := m.Shape()
	planes := len(in.Shape) == 4 && slices.Equal(in.Shape[1:], []int{c, h, w})
	last := len(in.Shape) == 4 && in.Datatype == protocol.UInt8 && slices.Equal(in.Shape[1:], []int{h, w, c})
	if !planes && !last {
		return nil, 0, refusef(http.StatusBadRequest, "input %s has the shape %v: the model takes [N,%d,%d,%d], or of UINT8 [N,%d,%d,%d], too", in.Name, in.Shape[:min(len(in.Shape), 8)], c, h, w, h, w, c)
	}
	n = in.Shape[0]
	if in.Datatype == protocol.FP32 {
		for i, v := range in.F32 {
			if !(v >= -16 && v <= 16) { // noise goes beyond ±1; values of [0,255] would get an answer that means nothing
				return nil, 0, refusef(http.StatusBadRequest, "image %d has a pixel of %g: FP32 pixels are in [-1,1], or send UINT8", i/(c*h*w)+1, v)
			}
		}
		return in.F32, n, nil
	}
	images = make([]float32, len(in.U8))
	for i, v := range in.U8 {
		at := i
		if !planes { // i is ((image·H + y)·W + x)·C + channel
			image, rest := i/(c*h*w), i%(c*h*w)
			at = image*c*h*w + rest%c*h*w + rest/c
		}
		images[at] = (float32(v)/255 - 0.5) * 2 // as stored pictures are scaled, to the bit
	}
	return images, n, nil
}

// pictures decodes files.
func (s *Server) pictures(ctx context.Context, in protocol.Tensor, m *batch.Model) (images []float32, err error) {
	c := m.Net().Config
	if c.InC != 1 && c.InC != 3 {
		return nil, refusef(http.StatusBadRequest, "the model takes %d×%d×%d numbers, which are no pictures: send input %s", c.InC, c.Size, c.Size, imagesInput)
	}
	for i, file := range in.Texts {
		one, err := s.decoder.Decode(ctx, file, m)
		var bad *fault.Error
		switch {
		case errors.As(err, &bad):
			return nil, refusef(http.StatusBadRequest, "picture %d: %s", i+1, bad.Reason)
		case err != nil:
			return nil, err
		}
		images = append(images, one.Pixels...)
	}
	return images, nil
}
