package data

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"jem/internal/durable"
)

// from completes part from one server and checks it. A part with the wrong hash is removed:
// resuming it can't help.
func (d Download) from(ctx context.Context, url, part string, o FetchOptions, progress func(int64)) error {
	f, err := durable.OpenOwn(part, os.O_RDWR|os.O_CREATE, 0o666) // a link may lead to somebody's file
	if err != nil {
		return err
	}
	defer f.Close()
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if have > d.Size {
		have = 0
	}
	if have < d.Size {
		if err := d.body(ctx, url, f, have, o, progress); err != nil {
			return err
		}
	}
	if err := d.check(f); err == nil {
		return durable.Sync(f)
	} else if err := errors.Join(err, f.Close(), os.Remove(part)); have == 0 {
		return err
	}
	return d.from(ctx, url, part, o, progress) // another server's beginning may be to blame: once more, whole
}

// body asks the server for what is missing after the first have bytes and writes it to f.
func (d Download) body(ctx context.Context, url string, f *os.File, have int64, o FetchOptions, progress func(int64)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := fmt.Errorf("no bytes for %v", o.Stall)
	watch := time.AfterFunc(o.Stall, func() { cancel(stalled) })
	defer watch.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	resp, err := o.Client.Do(req)
	if err != nil {
		return because(ctx, err)
	}
	defer resp.Body.Close()
	if have, err = d.start(resp, have); err != nil {
		return err
	}
	if err := f.Truncate(have); err != nil {
		return err
	}
	if _, err := f.Seek(have, io.SeekStart); err != nil {
		return err
	}
	alive := func(n int64) {
		watch.Reset(o.Stall)
		progress(n)
	}
	return because(ctx, d.copy(f, resp.Body, have, alive))
}

// start reads the answer's head: at which byte its body begins, and whether it is of the published
// size.
func (d Download) start(resp *http.Response, have int64) (int64, error) {
	switch resp.StatusCode {
	case http.StatusOK: // the whole file, whether a range was asked for or not
		have = 0
	case http.StatusPartialContent:
		var first, last int64
		if _, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/", &first, &last); err != nil || first != have {
			return 0, fmt.Errorf("asked to go on at byte %d, the server answers %q", have, resp.Header.Get("Content-Range"))
		}
	default:
		return 0, fmt.Errorf("the server answers %s", resp.Status)
	}
	if n := resp.ContentLength; n >= 0 && have+n != d.Size {
		return 0, fmt.Errorf("the server has %d bytes, published are %d", have+n, d.Size)
	}
	return have, nil
}

// copy appends the body to f, whose length is have, up to one byte more than is right.
func (d Download) copy(f *os.File, body io.Reader, have int64, alive func(int64)) error {
	buffer := make([]byte, 128<<10)
	body = io.LimitReader(body, d.Size-have+1)
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			if _, err := f.Write(buffer[:n]); err != nil {
				return err
			}
			have += int64(n)
			alive(min(have, d.Size))
		}
		switch {
		case err == io.EOF && have == d.Size:
			return nil
		case err == io.EOF && have > d.Size:
			return fmt.Errorf("the server sends more than the published %d bytes", d.Size)
		case err == io.EOF:
			return fmt.Errorf("the server ended after %d of %d bytes", have, d.Size)
		case err != nil:
			return err
		}
	}
}

// check compares size and hash of a complete download with the published ones.
func (d Download) check(f *os.File) error {
	sum, want := hash.Hash(md5.New()), d.MD5
	if d.SHA256 != "" {
		sum, want = sha256.New(), d.SHA256
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	n, err := io.Copy(sum, f)
	if err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); n != d.Size || got != want {
		return fmt.Errorf("%d bytes with hash %s, published are %d with %s: not the published file", n, got, d.Size, want)
	}
	return nil
}

// shown is a URL for a message: without the name and password, or token, before its host.
func shown(raw string) string {
	u, err := url.Parse(raw)
	switch {
	case err != nil: // what is whose can't be told
		return raw[strings.LastIndexByte(raw, '@')+1:]
	case u.User == nil:
		return raw
	}
	u.User = nil
	return u.String()
}

// plain is an error without the URL that package net/http puts before it, password and all.
func plain(err error) error {
	var at *url.Error
	for errors.As(err, &at) {
		if err = at.Err; at.Op == "parse" {
			err = errors.New("no URL that can be asked")
		}
	}
	return err
}

// because names the reason for which a request was given up, if it was.
func because(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
