package inception

// The sizes of what goes in and comes out.
const (
	Side     = 299  // height and width of the input
	Features = 2048 // of the last average pool
	Classes  = 1008
)

// kind is what a layer does.
type kind int

const (
	convolve kind = iota // and ReLU
	average              // convolve, then the 3×3 mean without padding, then ReLU
	maximum              // of windows
)

// layer is one step of the network. Several inputs are one, concatenated along channels.
type layer struct {
	name   string // in the state dict, for those with weights
	kind   kind
	in     []string
	inC    []int // channels of each
	out    int   // channels
	size   int   // height and width of the input
	kh, kw int   // window
	ph, pw int   // padding
	stride int
}

// side is the height and width of the output.
func (l *layer) side() int { return (l.size+2*l.ph-l.kh)/l.stride + 1 }

// channels is the number of input channels.
func (l *layer) channels() int {
	sum := 0
	for _, c := range l.inC {
		sum += c
	}
	return sum
}

const image = "image"

// layout is a network being written down.
type layout struct {
	layers []layer
	at     map[string]int // layer by name
}

// window is a kernel with the padding that keeps the size, or with none.
type window struct{ kh, kw, ph, pw, stride int }

func same(kh, kw int) window        { return window{kh, kw, kh / 2, kw / 2, 1} }
func valid(size, stride int) window { return window{size, size, 0, 0, stride} }

// add appends a layer; out 0 keeps the channels.
func (l *layout) add(k kind, name string, w window, out int, in ...string) string {
	next := layer{name: name, kind: k, in: in, out: out, size: Side, kh: w.kh, kw: w.kw, ph: w.ph, pw: w.pw, stride: w.stride}
	for _, i := range in {
		c := 3
		if i != image {
			from := &l.layers[l.at[i]]
			c, next.size = from.out, from.side()
		}
		next.inC = append(next.inC, c)
	}
	if out == 0 {
		next.out = next.inC[0]
	}
	l.at[name] = len(l.layers)
	l.layers = append(l.layers, next)
	return name
}

func (l *layout) conv(name string, w window, out int, in ...string) string {
	return l.add(convolve, name, w, out, in...)
}

// maxima pools each part by itself.
func (l *layout) maxima(name string, w window, in []string) (out []string) {
	for _, i := range in {
		out = append(out, l.add(maximum, name+" of "+i, w, 0, i))
	}
	return out
}

// network lists the layers in order and the parts of the last feature map.
func network() ([]layer, []string) {
	l := &layout{at: map[string]int{}}
	x := l.conv("Conv2d_1a_3x3", valid(3, 2), 32, image)
	x = l.conv("Conv2d_2a_3x3", valid(3, 1), 32, x)
	x = l.conv("Conv2d_2b_3x3", same(3, 3), 64, x)
	x = l.maxima("pool_1", valid(3, 2), []string{x})[0]
	x = l.conv("Conv2d_3b_1x1", same(1, 1), 80, x)
	x = l.conv("Conv2d_4a_3x3", valid(3, 1), 192, x)
	parts := l.maxima("pool_2", valid(3, 2), []string{x})
	parts = l.blockA("Mixed_5b", 32, parts)
	parts = l.blockA("Mixed_5c", 64, parts)
	parts = l.blockA("Mixed_5d", 64, parts)
	parts = l.blockB("Mixed_6a", parts)
	parts = l.blockC("Mixed_6b", 128, parts)
	parts = l.blockC("Mixed_6c", 160, parts)
	parts = l.blockC("Mixed_6d", 160, parts)
	parts = l.blockC("Mixed_6e", 192, parts)
	parts = l.blockD("Mixed_7a", parts)
	parts = l.blockE("Mixed_7b", false, parts)
	parts = l.blockE("Mixed_7c", true, parts)
	return l.layers, parts
}

func (l *layout) blockA(name string, pooled int, in []string) []string {
	one := l.conv(name+".branch1x1", same(1, 1), 64, in...)
	five := l.conv(name+".branch5x5_1", same(1, 1), 48, in...)
	five = l.conv(name+".branch5x5_2", same(5, 5), 64, five)
	three := l.conv(name+".branch3x3dbl_1", same(1, 1), 64, in...)
	three = l.conv(name+".branch3x3dbl_2", same(3, 3), 96, three)
	three = l.conv(name+".branch3x3dbl_3", same(3, 3), 96, three)
	pool := l.add(average, name+".branch_pool", same(1, 1), pooled, in...)
	return []string{one, five, three, pool}
}

func (l *layout) blockB(name string, in []string) []string {
	three := l.conv(name+".branch3x3", valid(3, 2), 384, in...)
	double := l.conv(name+".branch3x3dbl_1", same(1, 1), 64, in...)
	double = l.conv(name+".branch3x3dbl_2", same(3, 3), 96, double)
	double = l.conv(name+".branch3x3dbl_3", valid(3, 2), 96, double)
	return append([]string{three, double}, l.maxima(name, valid(3, 2), in)...)
}

func (l *layout) blockC(name string, c int, in []string) []string {
	one := l.conv(name+".branch1x1", same(1, 1), 192, in...)
	seven := l.conv(name+".branch7x7_1", same(1, 1), c, in...)
	seven = l.conv(name+".branch7x7_2", same(1, 7), c, seven)
	seven = l.conv(name+".branch7x7_3", same(7, 1), 192, seven)
	double := l.conv(name+".branch7x7dbl_1", same(1, 1), c, in...)
	double = l.conv(name+".branch7x7dbl_2", same(7, 1), c, double)
	double = l.conv(name+".branch7x7dbl_3", same(1, 7), c, double)
	double = l.conv(name+".branch7x7dbl_4", same(7, 1), c, double)
	double = l.conv(name+".branch7x7dbl_5", same(1, 7), 192, double)
	pool := l.add(average, name+".branch_pool", same(1, 1), 192, in...)
	return []string{one, seven, double, pool}
}

func (l *layout) blockD(name string, in []string) []string {
	three := l.conv(name+".branch3x3_1", same(1, 1), 192, in...)
	three = l.conv(name+".branch3x3_2", valid(3, 2), 320, three)
	seven := l.conv(name+".branch7x7x3_1", same(1, 1), 192, in...)
	seven = l.conv(name+".branch7x7x3_2", same(1, 7), 192, seven)
	seven = l.conv(name+".branch7x7x3_3", same(7, 1), 192, seven)
	seven = l.conv(name+".branch7x7x3_4", valid(3, 2), 192, seven)
	return append([]string{three, seven}, l.maxima(name, valid(3, 2), in)...)
}

// blockE pools by the maximum in the last block, by the mean in the one before.
func (l *layout) blockE(name string, last bool, in []string) []string {
	one := l.conv(name+".branch1x1", same(1, 1), 320, in...)
	three := l.conv(name+".branch3x3_1", same(1, 1), 384, in...)
	threeA := l.conv(name+".branch3x3_2a", same(1, 3), 384, three)
	threeB := l.conv(name+".branch3x3_2b", same(3, 1), 384, three)
	double := l.conv(name+".branch3x3dbl_1", same(1, 1), 448, in...)
	double = l.conv(name+".branch3x3dbl_2", same(3, 3), 384, double)
	doubleA := l.conv(name+".branch3x3dbl_3a", same(1, 3), 384, double)
	doubleB := l.conv(name+".branch3x3dbl_3b", same(3, 1), 384, double)
	parts := []string{one, threeA, threeB, doubleA, doubleB}
	if last {
		return append(parts, l.conv(name+".branch_pool", same(1, 1), 192, l.maxima(name, same(3, 3), in)...))
	}
	return append(parts, l.add(average, name+".branch_pool", same(1, 1), 192, in...))
}
