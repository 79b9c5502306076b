package cpu

// tiling numbers the square tiles of a batch's outputs across its images, row by row.
type tiling struct {
	across int // tiles side by side in an image
	tiles  int // tiles of an image
}

// newTiling divides outputs whose height and width are multiples of a tile's.
func newTiling(y *geometry, tile int) tiling {
	across := y.w / tile
	return tiling{across, across * y.h / tile}
}

// row is how many of the tiles from first on lie side by side, and where: image, row and
// column of the first one, in tiles.
func (t *tiling) row(tiles span) (count, image, y, x int) {
	image, i := tiles.lo/t.tiles, tiles.lo%t.tiles
	y, x = i/t.across, i%t.across
	return min(t.across-x, tiles.hi-tiles.lo), image, y, x
}
