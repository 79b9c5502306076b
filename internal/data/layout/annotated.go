package layout

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jem/internal/fault"
)

// annotations is the file in which Tiny-ImageNet says the classes of its validation
// pictures: a line each, of fields between tabs, the first two the picture's name and class.
const annotations = "val_annotations.txt"

// maxAnnotations bounds that file, in bytes: Tiny-ImageNet's has 350,000.
const maxAnnotations = 64 << 20

// annotated reads the classes of a part whose pictures lie in a folder images, beside a file
// of annotations. They are nil where there is no such file.
func annotated(dir string, names []string) ([]Class, error) {
	path := filepath.Join(dir, annotations)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	images := filepath.Join(dir, "images")
	classes, numbers := make([]Class, len(names)), map[string]int{}
	for i, name := range names {
		classes[i], numbers[name] = Class{Name: name, Path: images, files: &Files{}}, i
	}
	lines := bufio.NewScanner(io.LimitReader(f, maxAnnotations))
	for n := 1; lines.Scan(); n++ {
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) < 2 || filepath.Base(fields[0]) != fields[0] || !picture(fields[0]) {
			return nil, &fault.Error{Path: path, Kind: fault.ErrBad, Reason: fmt.Sprintf("line %d is not a picture's name and its class, with a tab between", n)}
		}
		i, known := numbers[fields[1]]
		if !known {
			return nil, &fault.Error{Path: path, Kind: fault.ErrBad, Reason: fmt.Sprintf("line %d names class %s, which is none of those trained", n, list(fields[1:2]))}
		}
		classes[i].files.Pictures = append(classes[i].files.Pictures, filepath.Join(images, fields[0]))
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, &fault.Error{Path: path, Kind: fault.ErrBad, Reason: "has a line of more than 64 KiB"}
	} else if err != nil {
		return nil, err
	}
	for _, c := range classes {
		slices.Sort(c.files.Pictures)
	}
	return classes, nil
}
