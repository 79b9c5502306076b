package data

import (
	"fmt"
	"strings"

	"jem/internal/fault"
)

// Listing describes a set that Open, Fetch and Verify know by name.
type Listing struct {
	Name   string // as in data.name
	Title  string
	Folder string // the folder that its files live in
	// Torchvision is where torchvision keeps them, or of CIFAR the same images in the Python version,
	// below its folder of data sets; "": in that itself, or nowhere.
	Torchvision string
	C           int // channels
	Side        int // pixels, of square images
	Images      int // of the training split
	Classes     []string
	Terms       string // licence, or what the authors ask for
	Home        string // the authors' page
	Downloads   []Download
	Files       []File
	format      format
	draw        func(*Set) // fills a set that the program makes itself; nil: it has files
}

// Download is a file as the publisher offers it.
type Download struct {
	Name    string
	Size    int64  // bytes
	MD5     string // as published; it guards against accidents only, the files within have SHA-256
	SHA256  string // "" where only MD5 is published
	URLs    []string
	Archive bool // a tar.gz whose files Fetch unpacks into the listing's folder
}

// File is a file that Open reads, with the hash of its unpacked content.
type File struct {
	Name   string
	Split  Split
	Size   int64  // bytes unpacked; 0: not known
	SHA256 string // of the unpacked content; "" where it is not known
	MD5    string // of the same, where only that is published
}

// format is the encoding of a listing's files.
type format int

const (
	formatOther format = iota // no images
	formatCIFAR10
	formatCIFAR100
	formatIDX
	formatSVHN
)

// List returns the known sets, each a fresh copy.
func List() []Listing {
	return []Listing{cifar10(), cifar100(), svhn(), mnist(), fashionMNIST(), shapes()}
}

// Lookup returns the listing of a name; of an unknown one a *fault.Error.
func Lookup(name string) (Listing, error) {
	var names []string
	for _, l := range List() {
		if l.Name == name {
			return l, nil
		}
		names = append(names, l.Name)
	}
	return Listing{}, &fault.Error{Kind: fault.ErrMissing, Reason: fmt.Sprintf("no data set %q; there are %s, and %s with a folder of your own images", name, strings.Join(names, ", "), Folder)}
}

// Drawn reports whether the program makes the set itself: there is nothing to download or to check.
func (l Listing) Drawn() bool { return l.draw != nil }

// files returns the files of a split, in reading order.
func (l Listing) files(split Split) []File {
	var fs []File
	for _, f := range l.Files {
		if f.Split == split {
			fs = append(fs, f)
		}
	}
	return fs
}

func cifar10() Listing {
	l := Listing{
		Name: "cifar10", Title: "CIFAR-10: 50,000 + 10,000 colour images of 10 kinds of objects", Folder: "cifar-10-batches-bin", Torchvision: "cifar-10-batches-py", C: 3, Side: 32, Images: 50000,
		Classes: strings.Fields("airplane automobile bird cat deer dog frog horse ship truck"),
		Terms:   "no formal licence; the authors ask for a citation (Krizhevsky, 2009)",
		Home:    "https://www.cs.toronto.edu/~kriz/cifar.html",
		Downloads: []Download{{
			Name: "cifar-10-binary.tar.gz", Size: 170052171, MD5: "c32a1d4ab5d03f1284b67883e8d87530", Archive: true,
			SHA256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
			URLs:   []string{"https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", "https://cave.cs.toronto.edu/kriz/cifar-10-binary.tar.gz"},
		}},
		format: formatCIFAR10,
	}
	for i, sum := range []string{
		"cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
		"a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
		"bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
		"014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
		"755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
	} {
		l.Files = append(l.Files, File{Name: fmt.Sprintf("data_batch_%d.bin", i+1), Split: Train, Size: 30730000, SHA256: sum})
	}
	l.Files = append(l.Files, File{Name: "test_batch.bin", Split: Test, Size: 30730000, SHA256: "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"})
	return l
}

func cifar100() Listing {
	return Listing{
		Name: "cifar100", Title: "CIFAR-100: 50,000 + 10,000 colour images of 100 kinds of objects (fine labels)", Folder: "cifar-100-binary", Torchvision: "cifar-100-python", C: 3, Side: 32, Images: 50000,
		Classes: strings.Fields(cifar100Classes),
		Terms:   "no formal licence; the authors ask for a citation (Krizhevsky, 2009)",
		Home:    "https://www.cs.toronto.edu/~kriz/cifar.html",
		Downloads: []Download{{
			Name: "cifar-100-binary.tar.gz", Size: 168513733, MD5: "03b5dce01913d631647c71ecec9e9cb8", Archive: true,
			URLs: []string{"https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz", "https://cave.cs.toronto.edu/kriz/cifar-100-binary.tar.gz"},
		}},
		Files: []File{
			{Name: "train.bin", Split: Train, Size: 153700000, MD5: "6172c7755cfe09b2fe270c85cebc1b15"},
			{Name: "test.bin", Split: Test, Size: 30740000, MD5: "4499cfba6c016c1be1438163640a0898"},
		},
		format: formatCIFAR100,
	}
}

func svhn() Listing {
	const from = "http://ufldl.stanford.edu/housenumbers/"
	one := func(split Split, size int64, md5 string) (Download, File) {
		name := string(split) + "_32x32.mat"
		return Download{Name: name, Size: size, MD5: md5, URLs: []string{from + name}}, File{Name: name, Split: split, Size: size, MD5: md5}
	}
	l := Listing{
		Name: "svhn", Title: "SVHN: 73,257 + 26,032 (+ 531,131 extra) colour images of house-number digits", Folder: "svhn", C: 3, Side: 32, Images: 73257,
		Classes: digits(), Terms: "non-commercial research only (Netzer et al., 2011)", Home: from, format: formatSVHN,
	}
	// The extra images (1.3 GB) are read where they are, but not fetched: the paper doesn't use them.
	train, trainFile := one(Train, 182040794, "e26dedcc434d2e4c54c9b2d4a06d8373")
	test, testFile := one(Test, 64275384, "eb5a983be6a315427106f1b164d9cef3")
	_, extraFile := one(Extra, 0, "a93ce644f1a588dc4d68dda5feec44a7")
	l.Downloads, l.Files = []Download{train, test}, []File{trainFile, testFile, extraFile}
	return l
}

func mnist() Listing {
	return Listing{
		Name: "mnist", Title: "MNIST: 60,000 + 10,000 grey images of handwritten digits, padded to 32×32", Folder: "mnist", Torchvision: "MNIST/raw", C: 1, Side: 32, Images: 60000,
		Classes: digits(), Terms: "no licence on the authors' page; often given as CC BY-SA 3.0 (LeCun, Cortes, Burges)",
		Home: "http://yann.lecun.com/exdb/mnist/",
		Downloads: idxDownloads([4]int64{9912422, 28881, 1648877, 4542}, [4]string{
			"f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
			"9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c",
		}, "https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
		Files: idxFiles(
			"ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
			"0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
		format: formatIDX,
	}
}

func fashionMNIST() Listing {
	return Listing{
		Name: "fashion-mnist", Title: "Fashion-MNIST: 60,000 + 10,000 grey images of clothes, padded to 32×32", Folder: "fashion-mnist", Torchvision: "FashionMNIST/raw", C: 1, Side: 32, Images: 60000,
		Classes: []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"},
		Terms:   "MIT, © 2017 Zalando SE", Home: "https://github.com/zalandoresearch/fashion-mnist",
		Downloads: idxDownloads([4]int64{26421880, 29515, 4422102, 5148}, [4]string{
			"8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
			"bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310",
		}, "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/", "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"),
		Files: idxFiles(
			"c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
			"5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
		format: formatIDX,
	}
}

// idxNames are the files of MNIST and its kin: training images and labels, then the test's.
var idxNames = [4]string{"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}

func idxDownloads(sizes [4]int64, md5 [4]string, from ...string) []Download {
	var ds []Download
	for i, name := range idxNames {
		d := Download{Name: name + ".gz", Size: sizes[i], MD5: md5[i]}
		for _, base := range from {
			d.URLs = append(d.URLs, base+d.Name)
		}
		ds = append(ds, d)
	}
	return ds
}

func idxFiles(sums ...string) []File {
	sizes := [4]int64{16 + 60000*28*28, 8 + 60000, 16 + 10000*28*28, 8 + 10000}
	splits := [4]Split{Train, Train, Test, Test}
	var fs []File
	for i, name := range idxNames {
		fs = append(fs, File{Name: name, Split: splits[i], Size: sizes[i], SHA256: sums[i]})
	}
	return fs
}

func digits() []string { return strings.Fields("0 1 2 3 4 5 6 7 8 9") }
