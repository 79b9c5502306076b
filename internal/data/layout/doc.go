// Package layout knows how people lay out folders of pictures: which sub-folders are the
// training, validation and test images, which are classes, which files below a class are its
// pictures, and what is none of these and passed over.
//
//	l, err := layout.Of("pictures")
//	classes, notes, err := l.Classes()  // of the training images
//	files, err := classes[0].Find()     // files.Pictures, in order
//
// It looks at names, never into a picture. What it lists is in the order of names, byte by
// byte, so that a picture has the same place on every machine.
package layout
