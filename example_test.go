package jem_test

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"log"

	"jem"
)

// Opening a checkpoint of the published PyTorch code, asking it about a picture, and having it draw.
func Example() {
	m, err := jem.Open("internal/torchfile/testdata/official_wrn10_1_zip.pt")
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	c, h, w := m.Shape()
	fmt.Printf("%d classes of %d×%d×%d: %v …\n", len(m.Classes()), c, h, w, m.Classes()[:3])

	picture := image.NewRGBA(image.Rect(0, 0, 64, 48)) // or what image.Decode returns
	for i := range 64 {
		picture.Set(i, i*3/4, color.RGBA{uint8(4 * i), 128, 0, 255})
	}
	scores, err := m.Score(context.Background(), picture)
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range scores {
		fmt.Printf("%s with %.0f %%, log p(x) = %.2f − log Z\n", s.Name, 100*s.Confidence, s.LogPx)
	}

	samples, err := m.Draw(context.Background(), jem.EachClass, 2, jem.Steps(3))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(samples), "samples of", samples[0].Image().Bounds().Size(), "pixels")
	// Output:
	// 10 classes of 3×32×32: [airplane automobile bird] …
	// deer with 11 %, log p(x) = 2.30 − log Z
	// 2 samples of (32,32) pixels
}
