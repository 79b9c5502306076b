package data

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"jem/internal/durable"
	"jem/internal/fault"
)

// ErrFetch marks a download that no server completed; test with errors.Is.
var ErrFetch = errors.New("download failed")

// FetchOptions tunes Fetch. The zero value is fine.
type FetchOptions struct {
	Mirrors []string      // base URLs tried before the published places: base/NAME
	Stall   time.Duration // give up on a server that sends nothing for so long; 0: 30 s
	Client  *http.Client  // nil: http.DefaultClient, which heeds the proxy variables
}

// Fetch downloads a known set, or the weights named InceptionName, into dir (empty: CacheDir), in the set's published folder, and
// returns that folder. What is there with the published hash is left alone. A broken download
// stays as NAME.part and is resumed by the next call; nothing appears under its own name
// before its hash was checked. progress, if any, gets the bytes done of the bytes to
// fetch; it is called from this goroutine. Another Fetch into the folder waits its turn.
func Fetch(ctx context.Context, name, dir string, progress func(done, total int64), o FetchOptions) (string, error) {
	l, err := lookupDownload(name)
	if err != nil {
		return "", err
	}
	if dir == "" {
		if dir, err = CacheDir(); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, l.Folder), l.fetch(ctx, dir, progress, o)
}

func (l Listing) fetch(ctx context.Context, dir string, progress func(done, total int64), o FetchOptions) error {
	folder := filepath.Join(dir, l.Folder)
	if len(l.wanted(folder)) == 0 {
		return nil // which a folder allows that can't be written to
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	lock, err := durable.WaitLock(ctx, filepath.Join(folder, ".fetch.lock"))
	if err != nil {
		return fmt.Errorf("wait for another fetch into %s: %w", folder, err)
	}
	defer lock.Release()
	wanted := l.wanted(folder)
	var done, total int64
	for _, d := range wanted {
		total += d.Size
	}
	for _, d := range wanted {
		err := l.fetchOne(ctx, d, dir, o, func(n int64) {
			if progress != nil {
				progress(done+n, total)
			}
		})
		if err != nil {
			return fmt.Errorf("fetch %s: %w", l.Name, err)
		}
		done += d.Size
	}
	return nil
}

// wanted lists the downloads whose files aren't all there as published.
func (l Listing) wanted(folder string) []Download {
	var ds []Download
	for _, d := range l.Downloads {
		for _, f := range l.within(d) {
			if l.status(place{dir: folder}, f).State != Published {
				ds = append(ds, d)
				break
			}
		}
	}
	return ds
}

// within lists the files that a download holds.
func (l Listing) within(d Download) []File {
	if d.Archive {
		return l.Files
	}
	var fs []File
	for _, f := range l.Files {
		if f.Name == strings.TrimSuffix(d.Name, ".gz") {
			fs = append(fs, f)
		}
	}
	return fs
}

// fetchOne downloads one file from the first server that delivers, and puts it in place.
func (l Listing) fetchOne(ctx context.Context, d Download, dir string, o FetchOptions, progress func(int64)) error {
	path := filepath.Join(dir, l.Folder, d.Name)
	part := path + ".part"
	if err := d.get(ctx, part, o, progress); err != nil {
		return err
	}
	if !d.Archive {
		return os.Rename(part, path)
	}
	archive, err := os.Open(part)
	if err != nil {
		return err
	}
	if err := errors.Join(l.unpack(archive, dir), archive.Close()); err != nil {
		return fault.At(part, err)
	}
	for _, f := range l.within(d) {
		if s := l.status(place{dir: filepath.Join(dir, l.Folder)}, f); s.State != Published {
			return &fault.Error{Path: part, Kind: fault.ErrBad, Reason: fmt.Sprintf("unpacked %s is %s: %s", f.Name, s.State, s.Detail)}
		}
	}
	return os.Remove(part)
}

// get tries the servers in turn until part has the published size and hash.
func (d Download) get(ctx context.Context, part string, o FetchOptions, progress func(int64)) error {
	if o.Stall == 0 {
		o.Stall = 30 * time.Second
	}
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	var urls []string
	for _, base := range o.Mirrors {
		urls = append(urls, strings.TrimSuffix(base, "/")+"/"+d.Name)
	}
	failures := []error{ErrFetch}
	for _, url := range append(urls, d.URLs...) {
		err := d.from(ctx, url, part, o, progress)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w; run it again to go on", shown(url), context.Cause(ctx))
		}
		var disk *os.PathError
		var unusable *fault.Error
		if errors.As(err, &disk) || errors.As(err, &unusable) { // no other server helps
			return err
		}
		failures = append(failures, fmt.Errorf("%s: %w", shown(url), plain(err)))
	}
	return fmt.Errorf("%s: %w\nget it by other means and put (or unpack) it into %s", d.Name, errors.Join(failures...), filepath.Dir(part))
}
