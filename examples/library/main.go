// Command library scores pictures in a Go program: go run ./examples/library MODEL PICTURE...
package main

import (
	"context"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"log"
	"os"

	"jem"
)

func main() {
	if len(os.Args) < 2 {
		log.Fatal("usage: library MODEL PICTURE...")
	}
	m, err := jem.Open(os.Args[1]) // a run's folder, or a .pt or .safetensors file
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	for _, path := range os.Args[2:] {
		file, err := os.Open(path)
		if err != nil {
			log.Fatal(err)
		}
		picture, _, err := image.Decode(file)
		file.Close()
		if err != nil {
			log.Fatal(path, ": ", err)
		}
		scores, err := m.Score(context.Background(), picture)
		if err != nil {
			log.Fatal(path, ": ", err)
		}
		fmt.Printf("%s: %s, %.0f %%, log p(x) %.2f\n", path, scores[0].Name, 100*scores[0].Confidence, scores[0].LogPx)
	}
}
