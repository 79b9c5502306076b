package train

import (
	"errors"
	"fmt"
	"strings"

	"jem/internal/data"
	"jem/internal/philox"
)

// OpenOOD opens a set of images from another distribution, as the network of p takes them,
// with the run's evaluation noise. Names are
//
//	interp       means of two of the run's own test images, see interpolated
//	folder:PATH  pictures, cut to their central square and resized
//	svhn, …      the test split of a published set, from the run's folder of data sets or
//	             the usual places
//
// limit > 0 keeps only the first so many images. Notes are sentences for the user.
func (p *Predictor) OpenOOD(name string, limit int) (Images, []string, error) {
	if name == "interp" {
		return p.interpolation(limit)
	}
	set, notes, err := p.readOOD(name)
	if err != nil {
		return nil, notes, err
	}
	if err := p.takes(name, set); err != nil {
		return nil, notes, err
	}
	images, err := p.Config.evalImages(set.Head(limit), nil, p.evalNoise())
	return images, notes, err
}

func (p *Predictor) readOOD(name string) (*data.Set, []string, error) {
	c := p.net.Config
	if path, ok := strings.CutPrefix(name, "folder:"); ok {
		return data.OpenFolder(path, data.FolderOptions{Size: c.Size, Grey: c.InC == 1})
	}
	if name == p.Config.Data.Name {
		return nil, nil, &data.Error{Kind: data.ErrBadData, Reason: fmt.Sprintf("%s is the run's own data set, not another distribution", name)}
	}
	set, notes, err := data.Open(name, data.Test, data.OpenOptions{Dir: p.Config.Data.Dir})
	if p.Config.Data.Dir != "" && errors.Is(err, data.ErrMissing) { // the run's folder may hold its own set only
		if elsewhere, more, err := data.Open(name, data.Test, data.OpenOptions{}); err == nil {
			return elsewhere, more, nil
		}
	}
	return set, notes, err
}

// takes checks that a set's images have the network's shape.
func (p *Predictor) takes(name string, set *data.Set) error {
	c := p.net.Config
	if set.C == c.InC && set.H == c.Size && set.W == c.Size {
		return nil
	}
	return &data.Error{Kind: data.ErrBadData, Reason: fmt.Sprintf("%s: images of %d×%d×%d, the network takes %d×%d×%d", name, set.C, set.H, set.W, c.InC, c.Size, c.Size)}
}

// interpolation reads the run's test images and walks them shuffled.
func (p *Predictor) interpolation(limit int) (Images, []string, error) {
	set, notes, err := p.Config.read(data.Test)
	if err != nil {
		return nil, notes, err
	}
	if set.Len() <= EvalBatch {
		return nil, notes, &data.Error{Kind: data.ErrBadData, Reason: fmt.Sprintf("interp: %d test images, want more than %d", set.Len(), EvalBatch)}
	}
	key := philox.New(p.Config.Seed, 0, philox.EvalNoise)
	order := make([]int, set.Len())
	key.At(0, 1).Perm(order)
	if limit > 0 {
		order = order[:min(len(order), limit+EvalBatch)]
	}
	noise := p.evalNoise()
	images, err := p.Config.evalImages(set, order, noise)
	return &interpolated{Images: images, noise: noise, key: key, pixels: set.Dim()}, notes, err
}

// interpolated are the means of images 100 apart in a shuffled walk, each with its own
// noise, plus noise once more: the published cifar_interp. The first batch has no
// predecessor, so 10,000 images make 9,900.
type interpolated struct {
	Images
	noise  float32
	key    philox.Key
	pixels int

	before, fresh []float32
	labels        []int32
}

// Len implements Images.
func (m *interpolated) Len() int { return max(0, m.Images.Len()-EvalBatch) }

// Batches implements Images.
func (m *interpolated) Batches() int { return m.Images.Batches() - 1 }

// Batch implements Images.
func (m *interpolated) Batch(i int, images []float32, labels []int32) int {
	if m.before == nil {
		m.before, m.fresh = make([]float32, EvalBatch*m.pixels), make([]float32, EvalBatch*m.pixels)
		m.labels = make([]int32, EvalBatch)
	}
	m.Images.Batch(i, m.before, m.labels)
	n := m.Images.Batch(i+1, images, labels)
	if m.noise > 0 {
		m.key.At(i, 2).FillNormal(m.fresh[:n*m.pixels])
	}
	for j := range images[:n*m.pixels] {
		images[j] = (images[j]+m.before[j])/2 + m.noise*m.fresh[j]
	}
	return n
}

// Head keeps the first n images of a set, all of them for n ≤ 0.
func Head(images Images, n int) Images {
	if n <= 0 || n >= images.Len() {
		return images
	}
	return head{images, n}
}

type head struct {
	Images
	n int
}

// Len implements Images.
func (h head) Len() int { return h.n }

// Batches implements Images.
func (h head) Batches() int { return (h.n + EvalBatch - 1) / EvalBatch }

// Batch implements Images.
func (h head) Batch(i int, images []float32, labels []int32) int {
	return min(h.Images.Batch(i, images, labels), h.n-i*EvalBatch)
}
