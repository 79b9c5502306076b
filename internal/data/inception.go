package data

// InceptionName is the name under which Fetch and Verify know the weights of Inception-v3
// that FID and Inception Score are computed with. They are no set of images.
const InceptionName = "inception"

// InceptionSHA256 is the hash of the published weights file.
const InceptionSHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"

const inceptionFile = "pt_inception-2015-12-05-6726825d.pth"

func inceptionWeights() Listing {
	const from = "https://github.com/mseitzer/pytorch-fid"
	return Listing{
		Name: InceptionName, Title: "Inception-v3 of 2015: weights for FID and Inception Score, no images", Folder: InceptionName,
		Terms: "Apache-2.0 (pytorch-fid; the weights are those of the published TensorFlow graph)", Home: from,
		Downloads: []Download{{Name: inceptionFile, Size: 95628359, SHA256: InceptionSHA256, URLs: []string{from + "/releases/download/fid_weights/" + inceptionFile}}},
		Files:     []File{{Name: inceptionFile, Size: 95628359, SHA256: InceptionSHA256}},
	}
}

// Downloads lists what Fetch and Verify know by name: the sets of List and the weights.
func Downloads() []Listing { return append(List(), inceptionWeights()) }

// lookupDownload is Lookup among Downloads.
func lookupDownload(name string) (Listing, error) {
	if name == InceptionName {
		return inceptionWeights(), nil
	}
	return Lookup(name)
}

// Inception returns the path of the weights file in dir, or, where that is empty, in the
// usual places. It doesn't check the content. The error is ErrMissing if there is none.
func Inception(dir string) (string, error) {
	l := inceptionWeights()
	p, err := l.find(l.Files, dir)
	if err != nil {
		return "", err
	}
	return p.locate(l.Files[0])
}
